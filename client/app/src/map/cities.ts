/**
 * Loads the larger cities when the map first names one. `vite.config.ts` cuts them from the package city-timezones at build.
 */
import { isNamed, type NamedCity } from './places.ts'

export async function loadCities(zoom: number): Promise<readonly NamedCity[]> {
  if (!isNamed(zoom)) return []
  const { default: cities } = await import('virtual:cities')
  return cities
}

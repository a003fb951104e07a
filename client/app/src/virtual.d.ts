/** Modules that vite.config.ts makes at build. */
declare module 'virtual:cities' {
  import type { NamedCity } from './map/places.ts'

  const cities: readonly NamedCity[]
  export default cities
}

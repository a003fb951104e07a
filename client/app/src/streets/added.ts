/** Whether the person added a map file. Without one the map loads no code that reads such files. */
const KEY = 'geotrace-streets'

export function areStreetsAdded(): boolean {
  return localStorage.getItem(KEY) !== null
}

export function noteStreets(areAdded: boolean): void {
  if (areAdded) localStorage.setItem(KEY, 'added')
  else localStorage.removeItem(KEY)
}

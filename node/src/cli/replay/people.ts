/** Reads the people of a replay: each file or folder under the given paths is one person with one or more tracks. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, extname, join, resolve, sep } from 'node:path'
import { type Fix, type ImportReceipt, importFile, isTrackFile } from '@geotrace/client/importers'
import { isFederationError } from '@geotrace/core-wasm/wire'
import { invalidCommand } from '../terminal/invalid-command.ts'

interface TrackImport {
  file: string
  receipt: ImportReceipt
}
/** A file in a folder that is named like a track and holds none. */
interface SkippedFile {
  file: string
  reason: string
}
export interface Person {
  /** The name of its file or folder. Of equal names, the parts of the paths that differ. */
  id: string
  path: string
  /** Ascending by time. */
  fixes: Fix[]
  imports: TrackImport[]
  skipped: SkippedFile[]
}

/** Throws COMMAND_INVALID for a missing path, no tracks or a person given twice, IMPORT_INVALID for an unreadable track. */
export async function readPeople(paths: readonly string[]): Promise<Person[]> {
  const people: Person[] = []
  for (const path of paths) {
    if (!existsSync(path)) invalidCommand(`no file or folder at ${path}`, NEXT)
    if (statSync(path).isDirectory()) people.push(...(await readFolder(path)))
    else if (isTrackFile(path)) people.push(await readPerson(path, [path]))
    else invalidCommand(`expected ${TRACKS}, got ${path}`, NEXT)
  }
  if (people.length === 0) invalidCommand(`expected ${TRACKS} in ${paths.join(', ')}, got none`, NEXT)
  return tellApart(people)
}

/** Gives people of one name other names: `003/Trajectory` and `004/Trajectory` become 003 and 004. */
function tellApart(people: readonly Person[]): Person[] {
  const named = people.map((person) => {
    const same = new Set(people.filter(({ id }) => id === person.id).map(({ path }) => resolve(path)))
    return same.size === 1 ? person : { ...person, id: distinctName(resolve(person.path), [...same]) }
  })
  for (const [i, { id, path }] of named.entries()) {
    const other = named.slice(0, i).find((person) => person.id === id)
    if (other !== undefined)
      invalidCommand(
        `expected people of different names, got two that are named ${id}: ${other.path} and ${path}`,
        'name each person once, or rename one of the two',
      )
  }
  return named
}

/** The end of a path, as short as tells it from the others, without the parts that all of them end with. */
function distinctName(path: string, all: readonly string[]): string {
  const paths = all.map((each) => each.split(sep))
  const shortest = Math.min(...paths.map(({ length }) => length))
  const end = (parts: readonly string[], from: number, to: number): string =>
    parts.slice(-from, -to || undefined).join('/')
  const kinds = (from: number, to: number): number => new Set(paths.map((parts) => end(parts, from, to))).size
  let common = 0
  while (common < shortest - 1 && kinds(common + 1, 0) === 1) common++
  let from = common + 1
  while (from < shortest && kinds(from, common) < paths.length) from++
  return end(path.split(sep), from, common)
}

const NEXT = 'name recorded tracks'
const TRACKS = '.gpx, .geojson, .json, .csv, .tsv, .kml, .tcx, .fit or .plt files'

async function readFolder(folder: string): Promise<Person[]> {
  const people: Person[] = []
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name)
    const files = tracksIn(path)
    if (files.length > 0) people.push(await readPerson(path, files))
  }
  return people.filter(({ fixes }) => fixes.length > 0)
}

async function readPerson(path: string, files: readonly string[]): Promise<Person> {
  const name = basename(path)
  const person: Person = {
    id: name.slice(0, name.length - extname(name).length),
    path,
    fixes: [],
    imports: [],
    skipped: [],
  }
  for (const file of files) {
    try {
      const { fixes, receipt } = await importFile(file, readFileSync(file))
      for (const fix of fixes) person.fixes.push(fix)
      person.imports.push({ file, receipt })
    } catch (error) {
      // Exports of other apps bring settings and archives along. A file that the user names must be a track.
      if (file === path || !isFederationError(error, 'IMPORT_INVALID') || error.data.noTrack !== true) throw error
      person.skipped.push({ file, reason: error.data.reason })
    }
  }
  person.fixes.sort((a, b) => a.at - b.at)
  return person
}

function tracksIn(path: string): string[] {
  if (!statSync(path).isDirectory()) return isTrackFile(path) ? [path] : []
  return readdirSync(path)
    .sort()
    .flatMap((name) => tracksIn(join(path, name)))
}

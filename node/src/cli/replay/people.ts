/** Reads the people of a replay: each file or folder under the given paths is one person with one or more tracks. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { type Fix, importFile, isTrackFile } from '@geotrace/client/importers'
import { FederationError } from '@geotrace/core-wasm/wire'

export interface Person {
  id: string
  /** Ascending by time. */
  fixes: Fix[]
}

/** Throws COMMAND_INVALID for a missing path, no tracks or a repeated id, IMPORT_INVALID for an unreadable track. */
export function readPeople(paths: readonly string[]): Person[] {
  const people = paths.flatMap((path) => {
    if (!existsSync(path)) invalidCommand(`no file or folder at ${path}; name recorded tracks`)
    if (!statSync(path).isDirectory()) return [readPerson(path)]
    return readdirSync(path)
      .sort()
      .map((name) => join(path, name))
      .filter((entry) => tracksIn(entry).length > 0)
      .map(readPerson)
  })
  if (people.length === 0) invalidCommand(`expected .plt, .gpx or .csv files in ${paths.join(', ')}, got none`)
  const ids = new Set<string>()
  for (const { id } of people) {
    if (ids.has(id)) invalidCommand(`two people are named ${id}; give paths with different names`)
    ids.add(id)
  }
  return people
}

function readPerson(path: string): Person {
  const fixes = tracksIn(path).flatMap((file) => importFile(file, readFileSync(file, 'utf8')))
  const name = basename(path)
  return { id: name.slice(0, name.length - extname(name).length), fixes: fixes.sort((a, b) => a.at - b.at) }
}

function tracksIn(path: string): string[] {
  if (!statSync(path).isDirectory()) return isTrackFile(path) ? [path] : []
  return readdirSync(path)
    .sort()
    .flatMap((name) => tracksIn(join(path, name)))
}

function invalidCommand(reason: string): never {
  throw new FederationError('COMMAND_INVALID', reason, { reason })
}

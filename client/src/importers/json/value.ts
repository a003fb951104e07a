/** One value of a JSON file with its path, read field by field. Throws EntryError that names the field. */
import { EntryError } from '../fields/entry-error.ts'
import { nameToField } from '../fields/field-names.ts'
import { namedFields, type PositionFields } from '../fields/position.ts'
import type { LeftOutReason } from '../receipt.ts'

export interface JsonValue {
  readonly value: unknown
  /** As in `$.locations[3].accuracy`. */
  readonly path: string
  /** Line of the file at which the value ends. Computed when it is called. */
  readonly line: () => number
}

/** A member of an object; its value is undefined when there is none. */
export function member({ value, path, line }: JsonValue, name: string): JsonValue {
  const own = isObject(value) && Object.hasOwn(value, name)
  return { value: own ? value[name] : undefined, path: `${path}.${name}`, line }
}

/** The first member of these names that is present. */
export function anyMember(value: JsonValue, names: readonly string[]): JsonValue {
  const found = names.map((name) => member(value, name)).find((item) => isPresent(item))
  return found ?? member(value, names[0]!)
}

/** The entries of a list; none when the value is not a list. */
export function items(list: JsonValue): JsonValue[] {
  if (!Array.isArray(list.value)) return []
  return list.value.map((value, i) => ({ value, path: `${list.path}[${i}]`, line: list.line }))
}

export function isPresent({ value }: JsonValue): boolean {
  return value !== undefined && value !== null
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A text or a number as text; undefined when the field is missing. */
export function toText(field: JsonValue, reason: LeftOutReason): string | undefined {
  const { value, path } = field
  if (!isPresent(field)) return undefined
  if (typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  const name = path.slice(path.lastIndexOf('.') + 1)
  throw new EntryError(
    reason,
    `a text or a number is expected in ${name}, not ${Array.isArray(value) ? 'a list' : typeof value}`,
  )
}

/** The fields of an object by their usual names, whatever the format. */
export function toNamedFields(value: JsonValue): PositionFields {
  if (!isObject(value.value)) return {}
  const named: [string, string | undefined][] = []
  for (const name of Object.keys(value.value)) {
    const role = nameToField(name)?.role
    if (role === undefined) continue
    named.push([name, toText(member(value, name), role === 'accuracy' ? 'accuracy-unreadable' : 'malformed')])
  }
  return namedFields(named)
}

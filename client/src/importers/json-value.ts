/** One value of a JSON file with its path, read field by field. Throws IMPORT_INVALID with the path of a wrong field. */
import { importInvalid } from './import-error.ts'

export interface JsonValue {
  readonly value: unknown
  /** As in `$.locations[3].accuracy`. */
  readonly path: string
  /** Line of the file at which the value ends. */
  readonly line: number
}

export function invalidValue({ path, line }: JsonValue, reason: string): Error {
  return importInvalid(line, `${path}: ${reason}`)
}

/** A member of an object; its value is undefined when there is none. */
export function member({ value, path, line }: JsonValue, name: string): JsonValue {
  const own = typeof value === 'object' && value !== null && Object.hasOwn(value, name)
  return { value: own ? (value as Record<string, unknown>)[name] : undefined, path: `${path}.${name}`, line }
}

/** The first member of these names that is present. */
export function anyMember(value: JsonValue, names: readonly string[]): JsonValue {
  const found = names.map((name) => member(value, name)).find((item) => isPresent(item))
  return found ?? member(value, names[0]!)
}

export function items(list: JsonValue): JsonValue[] {
  if (!isPresent(list)) return []
  if (!Array.isArray(list.value)) throw invalidValue(list, 'a list is expected')
  return list.value.map((value, i) => ({ value, path: `${list.path}[${i}]`, line: list.line }))
}

export function isPresent({ value }: JsonValue): boolean {
  return value !== undefined && value !== null
}

export function toFinite(field: JsonValue): number {
  const number = typeof field.value === 'string' && field.value.trim() !== '' ? Number(field.value) : field.value
  if (typeof number !== 'number' || !Number.isFinite(number)) {
    throw invalidValue(field, `a number is expected, not ${show(field.value)}`)
  }
  return number
}

export function toText(field: JsonValue): string {
  if (typeof field.value === 'string') return field.value
  if (typeof field.value === 'number') return String(field.value)
  throw invalidValue(field, `a text is expected, not ${show(field.value)}`)
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  return typeof value === 'object' ? (Array.isArray(value) ? 'a list' : 'an object') : `"${String(value).slice(0, 40)}"`
}

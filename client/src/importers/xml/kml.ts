/**
 * Reads KML 2.2 and 2.3: tracks (`gx:Track`, `Track`), and placemarks with a point and a `TimeStamp`. The times and the
 * positions of a track are two lists of one length. Throws IMPORT_INVALID, ABORTED.
 */
import { EntryError } from '../fields/entry-error.ts'
import { nameToField } from '../fields/field-names.ts'
import { type Accuracy, namedFields, type PositionFields } from '../fields/position.ts'
import type { EntryPlace, Intake } from '../intake.ts'
import { offsetToLine } from '../line.ts'
import { attribute, nodeToText, parseElement, type XmlNode } from './element.ts'
import { type XmlPart, xmlParts } from './parts.ts'

const ELEMENTS = new Set(['when', 'coord', 'coordinates', 'value', 'SimpleData'])
const TAGS = new Set(['kml', 'Placemark', 'Track', 'Point', 'Data', 'SimpleArrayData'])

/** A placemark with a point has one accuracy. The bound keeps the cost of a hostile file linear. */
const VALUES_MAX = 16

interface Item {
  text: string
  start: number
}

/** The values since the last start tag of a placemark or of a track. */
interface Lists {
  start: number
  whens: Item[]
  positions: Item[]
  /** Accuracies by the name of their list, one for each position. */
  named: Map<string, string[]>
}

export async function readKml(text: string, intake: Intake): Promise<void> {
  const reader = new KmlReader(text, intake)
  for (const part of xmlParts(text, { elements: ELEMENTS, tags: TAGS })) {
    if (part.kind === 'element') reader.element(part)
    else if (part.kind === 'open') reader.open(part)
    else
      for (const entry of reader.close(part)) {
        entry()
        if (intake.isTurnDue) await intake.turn()
      }
  }
  intake.cutOff = !reader.closed
}

class KmlReader {
  closed = false
  readonly #text: string
  readonly #intake: Intake
  #placemark: Lists | undefined
  #track: Lists | undefined
  #inPoint = false
  /** The name of the open list of values. */
  #name: string | undefined

  constructor(text: string, intake: Intake) {
    this.#text = text
    this.#intake = intake
  }

  open({ name, start, end }: XmlPart): void {
    if (name === 'Placemark') this.#placemark = emptyLists(start)
    else if (name === 'Track') this.#track = emptyLists(start)
    else if (name === 'Point') this.#inPoint = true
    else if (name !== 'kml') this.#name = attribute(this.#parse(`${this.#text.slice(start, end - 1)}/>`), 'name')
  }

  /** The entries that end with this tag. */
  close({ name }: XmlPart): Iterable<() => void> {
    if (name === 'kml') this.closed = true
    else if (name === 'Point') this.#inPoint = false
    else if (name === 'Track') {
      const track = this.#track
      this.#track = undefined
      return track === undefined ? [] : this.#trackEntries(track)
    } else if (name === 'Placemark') {
      const placemark = this.#placemark
      this.#placemark = undefined
      return placemark === undefined ? [] : this.#pointEntries(placemark)
    } else this.#name = undefined
    return []
  }

  element({ name, start, end, complete }: XmlPart): void {
    const lists = this.#track ?? this.#placemark
    if (lists === undefined || !complete) return
    const node = this.#parse(this.#text.slice(start, end))
    const item = { text: nodeToText(node)?.trim() ?? '', start }
    if (name === 'when') lists.whens.push(item)
    else if (name === 'coord') this.#track?.positions.push(item)
    else if (name === 'coordinates') {
      if (this.#inPoint) this.#placemark?.positions.push(item)
    } else this.#value(lists, attribute(node, 'name') ?? this.#name, item.text)
  }

  /** A broken element counts as empty, so that it costs its own entry only. */
  #parse(text: string): XmlNode {
    try {
      return parseElement(text)
    } catch (error) {
      if (error instanceof EntryError) return ''
      throw error
    }
  }

  #value(lists: Lists, name: string | undefined, text: string): void {
    if (name === undefined || nameToField(name)?.role !== 'accuracy') return
    const values = lists.named.get(name)
    if (values === undefined) lists.named.set(name, [text])
    else if (this.#track !== undefined || values.length < VALUES_MAX) values.push(text)
  }

  *#trackEntries(track: Lists): Generator<() => void> {
    const { whens, positions, named, start } = track
    const lists = [...named.values()]
    if (positions.length !== whens.length || lists.some((list) => list.length !== whens.length)) {
      const detail = `the track has ${whens.length} times for ${positions.length} positions`
      yield () => this.#intake.leaveOut(this.#place(start), 'malformed', detail)
      return
    }
    for (const [i, when] of whens.entries()) {
      const [lng, lat] = positions[i]!.text.split(/\s+/)
      const accuracies = toAccuracies([...named].map(([name, values]) => [name, values[i]!]))
      yield () => this.#take(when.start, { lat, lng, time: when.text, accuracies })
    }
  }

  *#pointEntries({ whens, positions, named }: Lists): Generator<() => void> {
    const accuracies = toAccuracies(
      [...named].flatMap(([name, values]) => values.map((value) => [name, value] as const)),
    )
    for (const { text, start } of positions) {
      const [lng, lat] = text.split(',')
      yield () => this.#take(start, { lat, lng, time: whens[0]?.text, accuracies })
    }
  }

  #take(start: number, fields: PositionFields): void {
    this.#intake.take(this.#place(start), () => fields)
  }

  #place(start: number): EntryPlace {
    return { line: () => offsetToLine(this.#text, start) }
  }
}

function emptyLists(start: number): Lists {
  return { start, whens: [], positions: [], named: new Map() }
}

function toAccuracies(named: readonly (readonly [string, string])[]): readonly Accuracy[] {
  return namedFields(named).accuracies ?? []
}

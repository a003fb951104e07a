import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { generateTables } from '../../scripts/generate-tables.js'
import { renderTables } from '../../scripts/render-tables.js'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const published = read('../../assembly/tables.ts')

describe('the generated tables', () => {
  it('the tables of the assembly equal vectors/tables.json to the last bit', () => {
    expect(renderTables(JSON.parse(read('../../vectors/tables.json')))).toBe(published)
  })

  it('the generator finds the same tables by probing h3-js, except for the last bits of the host’s sine', () => {
    const fresh: string = renderTables(generateTables())
    // All tables except the faces are integers and equal exactly.
    const [faces, rest] = split(published)
    const [freshFaces, freshRest] = split(fresh)
    expect(freshRest).toBe(rest)
    expect(faces.length).toBe(20 * 9)
    faces.forEach((value, i) => {
      expect(Math.abs(value - freshFaces[i]!)).toBeLessThanOrEqual(1e-14 * Math.max(1, Math.abs(value)))
    })
  })
})

function split(text: string): [faces: number[], rest: string] {
  const [before, after] = [text.indexOf('memory.data<f64>(['), text.indexOf('])')]
  const numbers = text.slice(before, after).match(/-?\d+\.\d+(e-?\d+)?/g) ?? []
  return [numbers.map(Number), text.slice(0, before) + text.slice(after)]
}

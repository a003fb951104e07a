import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { loadCore } from '../src/index.ts'
import { reference, vectors } from '../src/testing/index.ts'

const published = (name: string) =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'))

describe.each([
  ['the reference', reference()],
  ['the SIMD build', await loadCore({ build: 'simd' })],
  ['the scalar build', await loadCore({ build: 'scalar' })],
])('the published vectors and %s', (_, core) => {
  it.each(Object.entries(vectors(core)))(
    'an implementation gives the published answers of %s.json',
    (name, answers) => {
      expect(answers).toEqual(published(name))
    },
  )
})

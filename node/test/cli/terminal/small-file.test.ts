import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readSmallFile } from '../../../src/cli/terminal/small-file.ts'

it('a file is read up to its bound; a longer one, a device and a missing one are refused with the next step', () => {
  const dir = mkdtempSync(join(tmpdir(), 'geotrace-small-'))
  const path = join(dir, 'card.json')
  const read = (name = path) => readSmallFile(name, { what: 'card', maxBytes: 4, next: 'print one' })
  writeFileSync(path, '1234')
  expect(read().toString()).toBe('1234')
  writeFileSync(path, '12345')
  expect(read).toThrow(`expected a card of at most 4 bytes in ${path}, got more; print one`)
  expect(() => read(join(dir, 'none'))).toThrow(`no card at ${join(dir, 'none')}; print one`)
  expect(() => read(dir)).toThrow(expect.objectContaining({ code: 'EISDIR', path: dir }))
  if (process.platform === 'linux') expect(() => read('/dev/zero')).toThrow(/at most 4 bytes/)
  rmSync(dir, { recursive: true })
})

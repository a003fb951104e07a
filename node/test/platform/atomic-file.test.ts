import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFiles, makeDirs, removeDirs, replaceFile } from '../../src/platform/atomic-file.ts'

let dir: string
const at = (name: string) => join(dir, name)
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'geotrace-files-'))
})
afterEach(() => rm(dir, { recursive: true }))

describe('files that are written whole or not at all', () => {
  it('new files appear together, readable by their owner only', async () => {
    await createFiles([
      { path: at('a'), content: 'one' },
      { path: at('b'), content: Uint8Array.of(1, 2) },
    ])
    expect((await readdir(dir)).sort()).toEqual(['a', 'b'])
    expect(await readFile(at('a'), 'utf8')).toBe('one')
    expect((await stat(at('b'))).mode & 0o777).toBe(0o600)
  })

  it('when one of the files exists or cannot be written, none appears and the existing file keeps its content', async () => {
    await writeFile(at('b'), 'old')
    const files = (last: string) => [
      { path: at('a'), content: 'one' },
      { path: last, content: 'two' },
    ]
    await expect(createFiles(files(at('b')))).rejects.toMatchObject({ code: 'EEXIST', path: at('b') })
    await expect(createFiles(files(at('no/folder')))).rejects.toMatchObject({ code: 'ENOENT', path: at('no/folder') })
    expect(await readdir(dir)).toEqual(['b'])
    expect(await readFile(at('b'), 'utf8')).toBe('old')
  })

  it('a file that replaces another takes its place, and a write that fails leaves nothing beside the file', async () => {
    await writeFile(at('a'), 'old')
    await createFiles([{ path: at('a'), content: 'new', replaces: true }])
    expect(await readFile(at('a'), 'utf8')).toBe('new')
    await replaceFile(at('a'), 'newer')
    await expect(replaceFile(at('a/b'), 'x')).rejects.toMatchObject({ code: 'ENOTDIR', path: at('a/b') })
    expect(await readdir(dir)).toEqual(['a'])
  })

  it('missing folders are made for their owner alone, named, and removed again as far as they are empty', async () => {
    const made = await makeDirs(at('a/b/c'))
    expect(made).toEqual(['a', 'a/b', 'a/b/c'].map(at))
    for (const path of made) expect((await stat(path)).mode & 0o777).toBe(0o700)
    expect(await makeDirs(at('a/b/c'))).toEqual([])
    await writeFile(at('a/file'), '')
    await removeDirs(made)
    expect(await readdir(at('a'))).toEqual(['file'])
    await expect(makeDirs(at('a/file/d'))).rejects.toMatchObject({ code: 'ENOTDIR' })
    expect(new Set((await Promise.all([makeDirs(at('x/y')), makeDirs(at('x/y'))])).flat())).toEqual(
      new Set(['x', 'x/y'].map(at)),
    )
  })
})

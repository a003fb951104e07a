import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDemoDirectory, removeLeftovers, runningDemoDirectories } from '../../../src/cli/demo/directory.ts'
import { userId } from '../../../src/platform/own-files.ts'

const OTHER = userId()! + 1
/** No process has this id: it is above the largest that Linux gives. */
const DEAD_PID = 2 ** 30

const { TMPDIR } = process.env
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'geotrace-tmp-'))
  process.env.TMPDIR = folder
})
afterEach(() => {
  if (TMPDIR === undefined) delete process.env.TMPDIR
  else process.env.TMPDIR = TMPDIR
  rmSync(folder, { recursive: true })
})

describe('the directories of demos', () => {
  it('a demo deletes what a killed demo of its user left, and keeps the directory of a demo that runs', () => {
    const [running, left] = [createDemoDirectory(), join(folder, `geotrace-demo-${DEAD_PID}-abcdef`)]
    mkdirSync(left)
    writeFileSync(join(left, 'file'), 'x')
    removeLeftovers()
    expect(existsSync(running)).toBe(true)
    expect(existsSync(left)).toBe(false)
  })

  it('all running demos of the user are found, so that a command can refuse to choose one', () => {
    const demos = [createDemoDirectory(), createDemoDirectory()]
    expect(runningDemoDirectories()).toEqual([])
    for (const dir of demos) writeFileSync(join(dir, 'admin.json'), '{}')
    expect(runningDemoDirectories().sort()).toEqual(demos.sort())
  })

  it('a demo leaves directories of other users alone, and links, and takes none of them for its own', () => {
    const [theirs, target] = [join(folder, `geotrace-demo-${DEAD_PID}-abcdef`), join(folder, 'precious')]
    for (const dir of [theirs, target]) {
      mkdirSync(dir)
      writeFileSync(join(dir, 'admin.json'), '{}')
    }
    // For this user id both directories belong to somebody else.
    removeLeftovers(OTHER)
    expect(runningDemoDirectories(OTHER)).toEqual([])
    expect(existsSync(join(theirs, 'admin.json'))).toBe(true)
    const link = join(folder, `geotrace-demo-${DEAD_PID}-link`)
    symlinkSync(target, link)
    removeLeftovers()
    expect([existsSync(theirs), existsSync(link), existsSync(join(target, 'admin.json'))]).toEqual([false, true, true])
    expect(runningDemoDirectories()).toEqual([])
  })
})

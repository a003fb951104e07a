import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openFilesMax } from '../../../src/net/guard/open-files.ts'

const MODULE = fileURLToPath(new URL('../../../dist/net/guard/open-files.js', import.meta.url))

describe.skipIf(process.platform === 'win32')('the limit of open files', () => {
  it('a process reads the limit that its shell set', () => {
    const script = `import(${JSON.stringify(MODULE)}).then((it) => console.log(it.openFilesMax()))`
    const command = `ulimit -n 300 && exec "${process.execPath}" -e '${script}'`
    expect(execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8' })).toBe('300\n')
  })

  it('this process may open more than 100 files', () => {
    expect(openFilesMax()).toBeGreaterThan(100)
  })
})

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { FIX_FAMILIES } from '../src/diary/fix-states.ts'
import { REFUSAL_REASONS } from '../src/index.ts'
import { FAMILIES } from '../src/storage/key-layout.ts'
import { emptyResult } from '../src/sync-result.ts'

const client = resolve(fileURLToPath(import.meta.url), '../..')
const readme = readFileSync(resolve(client, 'README.md'), 'utf8')

describe('the README', () => {
  it('the README shows the quickstart word for word', () => {
    const [, shown] = /## Quickstart\n\n```ts\n([\s\S]*?)```/.exec(readme)!
    expect(shown).toBe(readFileSync(resolve(client, 'examples/quickstart.ts'), 'utf8'))
  })

  it('the README lists every reason, every number of a sync and every family of records', () => {
    for (const reason of REFUSAL_REASONS) expect(readme).toMatch(new RegExp(`^\\| \`${reason}\` +\\|`, 'm'))
    for (const name of Object.keys(emptyResult())) expect(readme).toMatch(new RegExp(`\`${name}\\b`))
    for (const family of Object.values({ ...FIX_FAMILIES, ...FAMILIES })) expect(readme).toContain(`\`${family}\``)
  })
})

import { expect, it } from 'vitest'
import { checkRelease } from '../../../src/cli/doctor/release.ts'

const id = 'ab'.repeat(32)
const [one, two, three] = ['https://one.example.org', 'https://two.example.org', 'https://three.example.org']
const sound = { id, app: {}, differences: [] }
const judge = (init: Partial<Parameters<typeof checkRelease>[0]>) =>
  checkRelease({ dir: '/node', release: sound, apps: [], nowMs: 1, check: async () => [], ...init })

it('a node without a release is warned only when the federation has web apps to check', async () => {
  expect(await judge({ release: undefined })).toEqual([])
  const [finding, ...more] = await judge({ release: undefined, apps: [one, two] })
  expect(more).toEqual([])
  expect(finding).toMatchObject({ check: 'app', severity: 'warn', what: expect.stringContaining(`${one} ${two}`) })
  expect(finding!.next).toContain('/node/release.json')
})

it('an app that differs is a problem, one that did not answer a warning, and both are named', async () => {
  const check = async () => [
    { origin: one, atMs: 1, differences: 0 },
    { origin: two, atMs: 1, differences: 2, first: 'index.html' },
    { origin: three, atMs: 1, problem: 'no answer' },
  ]
  const findings = await judge({ apps: [one, two, three], check })
  expect(findings.map(({ check: name, severity }) => `${name} ${severity}`)).toEqual([
    'release ok',
    'app ok',
    'app fail',
    'app warn',
  ])
  expect(findings[2]!.what).toMatch(/two\.example\.org hands out 2 other files .*, first index\.html/)
  expect(findings[3]!.what).toMatch(/three\.example\.org: no answer/)
})

it('an installation with other files than the release is warned with the first of them', async () => {
  const differences = [{ path: 'node/dist/cli.js', how: 'changed' as const }]
  const [own] = await judge({ release: { ...sound, differences } })
  expect(own).toMatchObject({ check: 'release', severity: 'warn' })
  expect(own!.what).toContain('first node/dist/cli.js')
})

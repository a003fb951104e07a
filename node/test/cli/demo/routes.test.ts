import { describe, expect, it } from 'vitest'
import { OPERATOR } from '../../../src/admin/staff/roles.ts'
import { demoRoutes } from '../../../src/cli/demo/routes.ts'
import { captured } from '../captured-output.mjs'

describe('the control of a running demo', () => {
  it('a salt node and the authority are killed by name or number, and an unknown name gets the list', async () => {
    const killed: string[] = []
    const peers = (['ash', 'birch', 'authority'] as const).map((name) => ({
      ...{ name, role: name === 'authority' ? 'central' : 'salt' },
      kill: async (signal: string) => void killed.push(`${name} ${signal}`),
    }))
    const routes = demoRoutes({ peers } as never, undefined, captured().out)
    const kill = (node: unknown) => routes['POST /kill']!({ node }, OPERATOR)
    expect(await kill('birch')).toEqual({ name: 'birch', role: 'salt' })
    expect(await kill('authority')).toEqual({ name: 'authority', role: 'central' })
    expect(await kill('1')).toEqual({ name: 'ash', role: 'salt' })
    expect(killed).toEqual(['birch SIGKILL', 'authority SIGKILL', 'ash SIGKILL'])
    for (const wrong of ['oak', '0', '4', '', undefined, 1]) {
      await expect(kill(wrong)).rejects.toMatchObject({
        code: 'COMMAND_INVALID',
        message: expect.stringMatching(/name one of: ash, birch, authority/),
      })
    }
  })
})

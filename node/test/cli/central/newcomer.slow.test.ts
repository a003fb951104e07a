import { it } from 'vitest'
import { followPage } from './newcomer.ts'

it('each command of CENTRAL.md does the same as a process of its own in bash', async () => {
  await followPage(true)
})

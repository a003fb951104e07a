import { it } from 'vitest'
import { followPage } from './newcomer.ts'

it('a newcomer who follows CENTRAL.md gets a peer that serves, is watched, backed up and restored', async () => {
  await followPage(false)
})

/** Asks the running node whether a roster can make a change, before operators send it around. Throws CHANGE_INVALID. */
import { FederationError, isFederationError, type SignedChange } from '@geotrace/core-wasm/wire'
import { adminRequest } from '../../admin/client.ts'
import { type ChangeView, changeToBase64 } from '../../admin/membership-routes.ts'

/** Without a running node the change is not checked here; `vote` checks it. */
export async function assertPossible(dir: string, change: SignedChange): Promise<void> {
  const problem = await askForProblem(dir, change)
  if (problem === undefined) return
  throw new FederationError('CHANGE_INVALID', `no roster can make this change: ${problem}`, { reason: problem })
}

async function askForProblem(dir: string, change: SignedChange): Promise<string | undefined> {
  try {
    const view = await adminRequest(dir, 'POST', '/changes/check', { change: changeToBase64(change) })
    return (view as ChangeView).problem
  } catch (error) {
    if (isFederationError(error, 'NODE_NOT_RUNNING')) return undefined
    throw error
  }
}

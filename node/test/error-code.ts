import { isFederationError } from '@geotrace/core-wasm/wire'

/** 'OK' when the task succeeds, else the code of its FederationError, or the text of another error. */
export async function errorCode(task: Promise<unknown>): Promise<string> {
  return await task.then(
    () => 'OK',
    (error: unknown) => (isFederationError(error) ? error.code : String(error)),
  )
}

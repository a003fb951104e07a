/** The error of a wrong command line. Throws COMMAND_INVALID. */
import { FederationError } from '@geotrace/core-wasm/wire'

/** `next` is the step that corrects the command; it is printed on a line of its own. */
export function invalidCommand(reason: string, next: string): never {
  throw new FederationError('COMMAND_INVALID', `${reason}; ${next}`, { reason, next })
}

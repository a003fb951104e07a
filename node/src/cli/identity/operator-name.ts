/** The name of an operator, as a manifest allows it. PROTOCOL.md §4.1. Throws COMMAND_INVALID. */
import { invalidCommand } from '../terminal/invalid-command.ts'

const NAME = /^[a-z0-9][a-z0-9.-]{0,62}$/

/** `where` is the option or the card that holds the name. */
export function assertOperatorName(name: string, where: string): void {
  if (NAME.test(name)) return
  invalidCommand(
    `${where} expected an operator name of 1 to 63 lower-case letters, digits, dots and dashes, got ${name === '' ? 'nothing' : name}`,
    'choose a name such as red-cross',
  )
}

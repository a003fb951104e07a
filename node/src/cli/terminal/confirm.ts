/** A question before a command changes something. Throws COMMAND_INVALID when nobody answers yes. */
import { ask, isTyped } from './ask.ts'
import { invalidCommand } from './invalid-command.ts'
import type { Output } from './output.ts'

/** `isSure` answers for a program, which cannot be asked. */
export async function confirm(question: string, isSure: boolean, out: Output): Promise<void> {
  if (isSure) return
  if (!isTyped()) invalidCommand(`the command asks "${question}", and nobody can answer`, 'add --yes')
  const answer = await ask(`${question} [y/N] `, out)
  if (!/^y(es)?$/i.test(answer.trim())) invalidCommand('nothing was changed', 'answer y to go on')
}

/** Reads a report code from the terminal or a pipe. Throws COMMAND_INVALID. */
import { parseReportCode } from '@geotrace/core-wasm/wire'
import { askSilently, isTyped, readPipedLine } from './ask.ts'
import { invalidCommand } from './invalid-command.ts'
import type { Output } from './output.ts'

/** The code is no argument, because every user of the machine can read the arguments of a process. */
export async function readReportCode(out: Output): Promise<string> {
  const code = (isTyped() ? await askSilently('Report code: ', out) : await readPipedLine()).trim()
  if (!isReportCode(code)) invalidCommand('expected a code such as 7K3D-9QWX-0A1B-2C3D', 'type the code again')
  return code
}

function isReportCode(text: string): boolean {
  try {
    parseReportCode(text)
    return true
  } catch {
    return false
  }
}

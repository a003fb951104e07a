/** Reads a file that a command names: at most as many bytes as such a file can have. Throws COMMAND_INVALID. */
import { closeSync, openSync, readSync } from 'node:fs'
import { invalidCommand } from './invalid-command.ts'

interface SmallFile {
  /** The name of the content, such as `card`. */
  what: string
  /** More bytes are refused before they are read, so that a device or a wrong file cannot fill the memory. */
  maxBytes: number
  /** The step that leads to the right file. */
  next: string
}

/** Errors of the system other than a missing file pass through. Throws COMMAND_INVALID. */
export function readSmallFile(path: string, { what, maxBytes, next }: SmallFile): Buffer {
  const file = open(path) ?? invalidCommand(`no ${what} at ${path}`, next)
  const buffer = Buffer.alloc(maxBytes + 1)
  let size = 0
  try {
    // A pipe gives its bytes in pieces.
    for (let got = -1; got !== 0 && size < buffer.length; size += got) {
      got = readSync(file, buffer, size, buffer.length - size, null)
    }
  } catch (error) {
    throw Object.assign(error as Error, { path })
  } finally {
    closeSync(file)
  }
  if (size > maxBytes) invalidCommand(`expected a ${what} of at most ${maxBytes} bytes in ${path}, got more`, next)
  return buffer.subarray(0, size)
}

/** Undefined when nothing is there. */
function open(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

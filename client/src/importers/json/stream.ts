/**
 * Reads JSON as it arrives, so that ten years of a phone's history fit into a phone's memory. Values at the given paths are
 * handed over one by one and then forgotten. Several objects, one after the other, are read too (one object a line).
 * Parsed by @streamparser/json. Throws IMPORT_INVALID.
 */
import { isFederationError } from '@geotrace/core-wasm'
import { Tokenizer, TokenParser, TokenType } from '@streamparser/json'
import type { Intake } from '../intake.ts'
import { withoutNaN } from './nan.ts'
import type { JsonValue } from './value.ts'

interface JsonStream {
  /** Takes the next bytes, in chunks of any size. Throws IMPORT_INVALID with the line. */
  write(bytes: Uint8Array): void
  /** Notes in the intake when the file ends in the middle. */
  end(): void
}

interface JsonPaths {
  /** Selectors of values in a file whose root is an object, and in one whose root is a list: `$.locations.*`, `$.*`. */
  object: readonly string[]
  list: readonly string[]
}

interface JsonEvents {
  onValue(item: JsonValue): void
  /** An object or a list at the root has ended. */
  onRoot(line: () => number): void
}

export function jsonStream(paths: JsonPaths, intake: Intake, { onValue, onRoot }: JsonEvents): JsonStream {
  const lines = lineCounter()
  const clean = withoutNaN()
  const tokenizer = new Tokenizer()
  let parser: TokenParser | undefined
  let offset = 0
  let last = '$'
  const line = () => lines.at(offset)

  function open(root: TokenType): TokenParser {
    const selectors = root === TokenType.LEFT_BRACE ? paths.object : paths.list
    const opened = new TokenParser({ paths: [...selectors], keepStack: false })
    opened.onValue = ({ value, key, stack }) => {
      last = [...stack.slice(1).map((element) => element.key), key].reduce<string>(extendPath, '$')
      onValue({ value, path: last, line })
    }
    return opened
  }

  tokenizer.onToken = (token) => {
    if (parser === undefined || parser.isEnded) {
      if (token.token !== TokenType.LEFT_BRACE && token.token !== TokenType.LEFT_BRACKET) {
        // Some writers put a comma between the objects of a file.
        if (parser !== undefined && token.token === TokenType.COMMA) return
        throw intake.invalid(line(), 'the file holds neither an object nor a list; choose a file with positions')
      }
      parser = open(token.token)
    }
    offset = token.offset
    parser.write(token)
    if (parser.isEnded) onRoot(line)
  }
  tokenizer.onError = (error) => {
    throw error
  }

  function write(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    lines.add(bytes)
    try {
      tokenizer.write(bytes)
    } catch (error) {
      if (isFederationError(error)) throw error
      const reason = `the file is not JSON after ${last}; export the file again`
      throw intake.invalid(line(), reason, { cause: error })
    }
  }

  return {
    write: (bytes) => clean.write(bytes).forEach(write),
    end() {
      clean.end().forEach(write)
      intake.cutOff = parser === undefined || !parser.isEnded
    },
  }
}

function extendPath(path: string, key: string | number | undefined): string {
  return typeof key === 'number' ? `${path}[${key}]` : `${path}.${key}`
}

const NEWLINE = 0x0a

/** Counts the newlines of each chunk once. Inside the chunk it counts only when a line is asked for. */
function lineCounter() {
  let [bytesBefore, linesBefore] = [0, 0]
  let chunk = new Uint8Array(0)
  return {
    add(next: Uint8Array): void {
      linesBefore += countNewlines(chunk)
      bytesBefore += chunk.length
      chunk = new Uint8Array(next)
    },
    at(offset: number): number {
      return linesBefore + countNewlines(chunk.subarray(0, Math.max(0, offset - bytesBefore))) + 1
    },
  }
}

function countNewlines(bytes: Uint8Array): number {
  let count = 0
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++
  return count
}

/**
 * Reads JSON as it arrives, so that ten years of a phone's history fit into a phone's memory. Values at the given paths are
 * handed over one by one and then forgotten. Parsed by @streamparser/json. Throws IMPORT_INVALID.
 */
import { isFederationError } from '@geotrace/core-wasm'
import { Tokenizer, TokenParser, TokenType } from '@streamparser/json'
import { importInvalid } from './import-error.ts'
import type { JsonValue } from './json-value.ts'

export interface JsonStream {
  /** Takes the next bytes, in chunks of any size. Throws IMPORT_INVALID with the line. */
  write(bytes: Uint8Array): void
  /** Throws IMPORT_INVALID when the file ends in the middle. */
  end(): void
}

interface JsonPaths {
  /** Selectors of values in a file whose root is an object, and in one whose root is a list: `$.locations.*`, `$.*`. */
  object: readonly string[]
  list: readonly string[]
}

const NEWLINE = 0x0a

export function jsonStream(paths: JsonPaths, onValue: (item: JsonValue) => void): JsonStream {
  const tokenizer = new Tokenizer()
  let parser: TokenParser | undefined
  // Bytes and lines before the current chunk, and the offset of the last good token.
  let [bytesBefore, linesBefore, offset] = [0, 0, 0]
  let chunk = new Uint8Array(0)
  let last = '$'

  function line(): number {
    return linesBefore + countLines(chunk.subarray(0, Math.max(0, offset - bytesBefore))) + 1
  }

  function open(root: TokenType): TokenParser {
    const selectors = root === TokenType.LEFT_BRACE ? paths.object : paths.list
    const opened = new TokenParser({ paths: [...selectors], keepStack: false })
    opened.onValue = ({ value, key, stack }) => {
      last = [...stack.slice(1).map((element) => element.key), key].reduce<string>(extendPath, '$')
      onValue({ value, path: last, line: line() })
    }
    return opened
  }

  tokenizer.onToken = (token) => {
    if (parser === undefined) {
      if (token.token !== TokenType.LEFT_BRACE && token.token !== TokenType.LEFT_BRACKET) {
        throw importInvalid(line(), 'the file holds neither an object nor a list')
      }
      parser = open(token.token)
    }
    offset = token.offset
    parser.write(token)
  }
  tokenizer.onError = (error) => {
    throw error
  }

  function guard(step: () => void): void {
    try {
      step()
    } catch (error) {
      if (isFederationError(error)) throw error
      throw importInvalid(line(), `the file is not JSON after ${last}`, error)
    }
  }

  return {
    write(bytes) {
      linesBefore += countLines(chunk)
      bytesBefore += chunk.length
      chunk = new Uint8Array(bytes)
      guard(() => tokenizer.write(chunk))
    },
    end() {
      guard(() => {
        tokenizer.end()
        if (parser === undefined || !parser.isEnded) throw new Error('the file ends too early')
      })
    },
  }
}

function extendPath(path: string, key: string | number | undefined): string {
  return typeof key === 'number' ? `${path}[${key}]` : `${path}.${key}`
}

function countLines(bytes: Uint8Array): number {
  let count = 0
  for (const byte of bytes) if (byte === NEWLINE) count++
  return count
}

/**
 * A small text that one process keeps in a file, or that all processes of the central peer keep in their store.
 * node/CENTRAL.md "Several processes". Throws STORAGE_FULL, BUSY.
 */
import { readFile } from 'node:fs/promises'
import { replaceFile } from '../../platform/atomic-file.ts'

export interface KeptText {
  /** Undefined before the first change. */
  read(): Promise<string | undefined>
  /** Writes the text in the place of `before`. False when another process changed the text meanwhile. */
  change(text: string, before: string | undefined): Promise<boolean>
}

/** A file of the only process of its directory. The caller changes it in turn. */
export function textInFile(path: string): KeptText {
  return {
    read: () => readText(path),
    async change(text) {
      await replaceFile(path, text)
      return true
    },
  }
}

/** Values that processes share. */
export interface SharedValues {
  record(name: string): Promise<Uint8Array | undefined>
  changeRecord(name: string, value: Uint8Array, before: Uint8Array | undefined): Promise<boolean>
}

/** `firstPath`: the file of a peer that ran alone, whose text is the first one of all processes. */
export function textInStore(shared: () => SharedValues, name: string, firstPath: string): KeptText {
  const toBytes = (text: string): Uint8Array => new TextEncoder().encode(text)
  const change: KeptText['change'] = (text, before) =>
    shared().changeRecord(name, toBytes(text), before === undefined ? undefined : toBytes(before))
  const read = async (): Promise<string | undefined> => {
    const value = await shared().record(name)
    return value && new TextDecoder().decode(value)
  }
  return {
    change,
    async read() {
      const known = await read()
      if (known !== undefined) return known
      const first = await readText(firstPath)
      if (first === undefined || (await change(first, undefined))) return first
      return await read()
    },
  }
}

async function readText(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}

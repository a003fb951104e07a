/**
 * The key of the app's storage, kept in the keychain (iOS) or under a key of the keystore (Android). A copy of the app's files
 * does not contain it. The bytes pass through the page once at each start, and become a key that is not extractable.
 */
import type { SecureStoragePluginPlugin } from 'capacitor-secure-storage-plugin'

const KEY_BYTES = 32

interface SecureKeyInit {
  plugin: Pick<SecureStoragePluginPlugin, 'get' | 'set' | 'keys'>
  random(count: number): Uint8Array<ArrayBuffer>
}

/**
 * The AES-256-GCM key called `name`, made on first use. Rejects when the key cannot be read or kept: a new key in its
 * place would lose the diary.
 */
export async function secureKey({ plugin, random }: SecureKeyInit, name: string): Promise<CryptoKey> {
  const key = `geotrace-${name}`
  const { value: names } = await plugin.keys()
  const bytes = names.includes(key) ? fromHex((await plugin.get({ key })).value) : random(KEY_BYTES)
  try {
    if (!names.includes(key)) {
      const { value: isKept } = await plugin.set({ key, value: toHex(bytes) })
      if (!isKept) throw new Error('the phone did not keep the key of the storage')
    }
    return await crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt'])
  } finally {
    bytes.fill(0)
  }
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function fromHex(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new Error('the key of the storage is damaged: restore the phone from a backup')
  return Uint8Array.from({ length: KEY_BYTES }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16))
}

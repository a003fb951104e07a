/**
 * A storage key that stays in the browser: made once, not extractable, kept in an IndexedDB of its own. A copy of all database
 * files contains this key too. Only a passphrase protects against a person who has the unlocked phone; such an app supplies
 * the key itself.
 */
const STORE = 'keys'

/** The AES-256-GCM key called `name`, made on first use. Two tabs that ask at the same time get the same key. */
export async function deviceKey(name: string): Promise<CryptoKey> {
  const fresh = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  const opening = indexedDB.open(`geotrace-key-${name}`, 1)
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE)
  const database = await finished(opening)
  try {
    const store = database.transaction(STORE, 'readwrite').objectStore(STORE)
    const known = await finished<CryptoKey | undefined>(store.get(name))
    if (known !== undefined) return known
    await finished(store.put(fresh, name))
    return fresh
  } finally {
    database.close()
  }
}

function finished<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

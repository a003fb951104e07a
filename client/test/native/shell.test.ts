import { readFileSync } from 'node:fs'
import type { CallbackError, Location } from '@capacitor-community/background-geolocation'
import { describe, expect, it } from 'vitest'
import { backgroundGeolocation } from '../../native/src/geolocation.ts'
import { secureKey } from '../../native/src/secure-key.ts'

const PLACE: Location = {
  latitude: 52.52,
  longitude: 13.405,
  accuracy: 8,
  altitude: null,
  altitudeAccuracy: null,
  simulated: false,
  bearing: 90,
  speed: 1.5,
  time: 1_764_500_000_000,
}

/** The plugin's watchers; `deliver` acts as the phone's system. */
function system() {
  const watchers = new Map<string, (location?: Location, error?: CallbackError) => void>()
  const removed: string[] = []
  let count = 0
  return {
    removed,
    watchers,
    deliver: (location?: Location, error?: CallbackError) => {
      for (const callback of watchers.values()) callback(location, error)
    },
    plugin: {
      async addWatcher(_options: unknown, callback: (location?: Location, error?: CallbackError) => void) {
        const id = `w${++count}`
        watchers.set(id, callback)
        return id
      },
      async removeWatcher({ id }: { id: string }) {
        removed.push(id)
        watchers.delete(id)
      },
    },
  }
}
const open = (plugin: ReturnType<typeof system>['plugin']) =>
  backgroundGeolocation({ plugin, title: 'title', text: 'text', now: () => 7 })
const denied = Object.assign(new Error('no permission'), { code: 'NOT_AUTHORIZED' })
const settled = () => new Promise((resolve) => setTimeout(resolve, 0))

describe('positions of the phone in the background', () => {
  it('a watch passes on every position, with the time of the receiver, or the present without one', async () => {
    const { plugin, deliver } = system()
    const { geolocation } = open(plugin)
    const seen: GeolocationPosition[] = []
    geolocation.watchPosition((position) => seen.push(position))
    deliver(PLACE)
    deliver({ ...PLACE, time: null })
    expect(seen.map(({ timestamp }) => timestamp)).toEqual([PLACE.time, 7])
    expect(seen[0]!.coords).toMatchObject({ latitude: 52.52, longitude: 13.405, accuracy: 8, heading: 90, speed: 1.5 })
    expect(JSON.parse(JSON.stringify(seen[0]))).toMatchObject({ coords: { latitude: 52.52 }, timestamp: PLACE.time })
  })

  it('a watch that is cleared before its watcher has a name is removed, and gives no position afterwards', async () => {
    const { plugin, deliver, removed } = system()
    const { geolocation } = open(plugin)
    const seen: unknown[] = []
    geolocation.clearWatch(geolocation.watchPosition((position) => seen.push(position)))
    deliver(PLACE)
    await settled()
    expect({ seen, removed }).toEqual({ seen: [], removed: ['w1'] })
    geolocation.clearWatch(99)
  })

  it('a refused permission is the error 1 of the standard, another failure the error 2, and the state follows', async () => {
    const { plugin, deliver } = system()
    const { geolocation, permission } = open(plugin)
    const [codes, states]: [number[], string[]] = [[], []]
    permission.addEventListener('change', () => states.push(permission.state))
    expect(permission.state).toBe('prompt')
    geolocation.watchPosition(
      () => {},
      ({ code }) => codes.push(code),
    )
    deliver(undefined, denied)
    deliver(undefined, new Error('no satellites'))
    deliver(PLACE)
    expect({ codes, states }).toEqual({ codes: [1, 2], states: ['denied', 'granted'] })
  })

  it('a watcher that the system does not start is an error, not a rejection that nobody handles', async () => {
    const plugin = { ...system().plugin, addWatcher: () => Promise.reject(new Error('no receiver')) }
    const { geolocation } = open(plugin)
    const messages: string[] = []
    const number = geolocation.watchPosition(
      () => {},
      ({ message }) => messages.push(message),
    )
    await settled()
    geolocation.clearWatch(number)
    expect(messages).toEqual(['no receiver'])
  })

  it('one current position ends its watcher, and a wait that is too long is the error 3', async () => {
    const { plugin, deliver, removed } = system()
    const { geolocation } = open(plugin)
    const first = new Promise((resolve) => geolocation.getCurrentPosition(resolve))
    deliver(PLACE)
    deliver(PLACE)
    expect(await first).toMatchObject({ timestamp: PLACE.time })
    await settled()
    expect(removed).toEqual(['w1'])
    const late = new Promise((resolve) => geolocation.getCurrentPosition(() => {}, resolve, { timeout: 1 }))
    expect(await late).toMatchObject({ code: 3 })
  })
})

/** A secure storage. `holds` is false for one that keeps nothing. */
function storage(holds = true) {
  const kept = new Map<string, string>()
  return {
    kept,
    plugin: {
      keys: async () => ({ value: [...kept.keys()] }),
      get: async ({ key }: { key: string }) => ({ value: kept.get(key)! }),
      async set({ key, value }: { key: string; value: string }) {
        if (holds) kept.set(key, value)
        return { value: holds }
      },
    },
  }
}
const random = (count: number) => crypto.getRandomValues(new Uint8Array(count))

describe('the key of the storage on a phone', () => {
  it('the key is made once, opens what it sealed after a restart, and cannot be exported', async () => {
    const { plugin, kept } = storage()
    const [first, second] = [
      await secureKey({ plugin, random }, 'geotrace'),
      await secureKey({ plugin, random }, 'geotrace'),
    ]
    const other = await secureKey({ plugin, random }, 'other')
    const iv = new Uint8Array(12)
    const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, first, new Uint8Array([1, 2, 3]))
    const opened = await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, second, sealed)
    expect([...new Uint8Array(opened)]).toEqual([1, 2, 3])
    await expect(crypto.subtle.decrypt({ name: 'AES-GCM', iv }, other, sealed)).rejects.toThrow()
    await expect(crypto.subtle.exportKey('raw', first)).rejects.toThrow()
    expect(kept.size).toBe(2)
  })

  it('a storage that keeps nothing, or gives damaged bytes, rejects and makes no second key', async () => {
    await expect(secureKey({ plugin: storage(false).plugin, random }, 'geotrace')).rejects.toThrow('did not keep')
    const { plugin, kept } = storage()
    kept.set('geotrace-geotrace', 'zz')
    await expect(secureKey({ plugin, random }, 'geotrace')).rejects.toThrow('damaged')
    expect(kept.get('geotrace-geotrace')).toBe('zz')
  })
})

it('the native project and the tests use the same versions of each package', () => {
  const read = (name: string) => JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'))
  const { devDependencies } = read('package.json')
  const { dependencies } = read('native/package.json')
  for (const [name, version] of Object.entries(dependencies)) {
    if (name !== '@capacitor/ios') expect(devDependencies[name], name).toBe(version)
  }
  expect(dependencies['@capacitor/ios']).toBe(dependencies['@capacitor/android'])
})

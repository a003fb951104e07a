/**
 * The first script of the app inside the native shell. It gives the page positions in the background and a key from the phone's
 * secure storage. In a browser it does nothing.
 */

import { Capacitor, registerPlugin } from '@capacitor/core'
import type { BackgroundGeolocationPlugin } from '@capacitor-community/background-geolocation'
import type { SecureStoragePluginPlugin } from 'capacitor-secure-storage-plugin'
import { backgroundGeolocation } from './geolocation.ts'
import { secureKey } from './secure-key.ts'

/** The person sees these words in the phone's own notification, so they are in the phone's language. */
const WORDS = {
  en: { title: 'Geo Trace is recording', text: 'Your places stay on this phone.' },
  de: { title: 'Geo Trace zeichnet auf', text: 'Ihre Orte bleiben auf diesem Telefon.' },
}

if (Capacitor.isNativePlatform()) install()

function install(): void {
  const language = navigator.language.startsWith('de') ? 'de' : 'en'
  const { geolocation, permission } = backgroundGeolocation({
    plugin: registerPlugin<BackgroundGeolocationPlugin>('BackgroundGeolocation'),
    ...WORDS[language],
    now: () => Date.now(),
  })
  const query = navigator.permissions?.query.bind(navigator.permissions)
  const permissions = {
    query: (asked: PermissionDescriptor) =>
      asked.name === 'geolocation' || query === undefined ? Promise.resolve(permission) : query(asked),
  }
  Object.defineProperty(navigator, 'geolocation', { value: geolocation })
  Object.defineProperty(navigator, 'permissions', { value: permissions })
  const plugin = registerPlugin<SecureStoragePluginPlugin>('SecureStoragePlugin')
  const random = (count: number) => crypto.getRandomValues(new Uint8Array(count))
  const storageKey = (name: string) => secureKey({ plugin, random }, name)
  Object.defineProperty(globalThis, 'geotraceShell', { value: { storageKey } })
}

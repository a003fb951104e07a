/**
 * The W3C Geolocation API over the background positions of the phone's system. https://www.w3.org/TR/geolocation/
 * The web app records from `navigator.geolocation`, so it needs no change.
 * The system gives positions while the app is in the background, and shows a notification for it.
 */
import type { BackgroundGeolocationPlugin, CallbackError, Location } from '@capacitor-community/background-geolocation'

/** The code of the plugin when the person gave no permission. */
const NOT_AUTHORIZED = 'NOT_AUTHORIZED'
const [DENIED, UNAVAILABLE, TIMEOUT] = [1, 2, 3] as const

interface BackgroundInit {
  plugin: Pick<BackgroundGeolocationPlugin, 'addWatcher' | 'removeWatcher'>
  /** The title and the text of the notification. */
  title: string
  text: string
  /** Unix ms, for a position without a time. */
  now(): number
}

/** The state of the permission, as `navigator.permissions.query` gives it. */
export interface PermissionWatch extends EventTarget {
  readonly state: PermissionState
}
export interface BackgroundGeolocation {
  readonly geolocation: Geolocation
  readonly permission: PermissionWatch
}

export function backgroundGeolocation({ plugin, title, text, now }: BackgroundInit): BackgroundGeolocation {
  const permission = new Permission()
  /** The watcher of each number that `watchPosition` returned. A watcher gets its own name later. */
  const watchers = new Map<number, Promise<string | undefined>>()
  let next = 1

  const watchPosition: Geolocation['watchPosition'] = (onPosition, onError) => {
    const number = next++
    const fail = (code: number, message: string) => onError?.(toError(code, message))
    const take = (location?: Location, error?: CallbackError): void => {
      // A watcher that is removed may still deliver a position.
      if (!watchers.has(number)) return
      if (error?.code === NOT_AUTHORIZED) permission.learn('denied')
      if (error !== undefined) fail(error.code === NOT_AUTHORIZED ? DENIED : UNAVAILABLE, error.message)
      if (error !== undefined || location === undefined) return
      permission.learn('granted')
      onPosition(toPosition(location, now()))
    }
    const options = { backgroundTitle: title, backgroundMessage: text, requestPermissions: true, stale: false }
    const starting = plugin.addWatcher(options, take).catch((error: Error) => {
      fail(UNAVAILABLE, error.message)
      return undefined
    })
    watchers.set(number, starting)
    return number
  }

  const clearWatch: Geolocation['clearWatch'] = (number) => {
    const starting = watchers.get(number)
    watchers.delete(number)
    void starting?.then((id) => (id === undefined ? undefined : plugin.removeWatcher({ id })))
  }

  const getCurrentPosition: Geolocation['getCurrentPosition'] = (onPosition, onError, { timeout = 0 } = {}) => {
    const end = (): void => {
      clearTimeout(timer)
      clearWatch(number)
    }
    const number = watchPosition(
      (position) => {
        end()
        onPosition(position)
      },
      (error) => {
        end()
        onError?.(error)
      },
    )
    const late = () => {
      end()
      onError?.(toError(TIMEOUT, `no position came in ${timeout} ms`))
    }
    const timer = timeout > 0 && timeout < 2 ** 31 ? setTimeout(late, timeout) : undefined
  }

  return { geolocation: { watchPosition, clearWatch, getCurrentPosition }, permission }
}

/** The system tells the permission only with the first position or error. */
class Permission extends EventTarget implements PermissionWatch {
  #state: PermissionState = 'prompt'
  get state(): PermissionState {
    return this.#state
  }
  learn(state: PermissionState): void {
    if (state === this.#state) return
    this.#state = state
    this.dispatchEvent(new Event('change'))
  }
}

function toPosition(location: Location, nowMs: number): GeolocationPosition {
  const { latitude, longitude, accuracy, altitude, altitudeAccuracy, bearing, speed, time } = location
  const coords = { latitude, longitude, accuracy, altitude, altitudeAccuracy, heading: bearing, speed }
  const timestamp = time ?? nowMs
  return {
    coords: { ...coords, toJSON: () => coords },
    timestamp,
    toJSON: () => ({ coords, timestamp }),
  }
}

function toError(code: number, message: string): GeolocationPositionError {
  return { code, message, PERMISSION_DENIED: DENIED, POSITION_UNAVAILABLE: UNAVAILABLE, TIMEOUT }
}

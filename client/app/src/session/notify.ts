/**
 * Shows outside the page that there is a new exposure: as a notification, and as a number on the icon of the installed app. The
 * notification has no place, time or cause, because others see the screen. Both need the person's permission.
 */
import type { Exposure } from '@geotrace/client'
import { effect, signal } from '@preact/signals'
import { texts } from '../text/text.ts'
import { exposures } from './state.ts'

/** `none`: this browser has no notifications. */
export const notifying = signal<NotificationPermission | 'none'>(
  'Notification' in window ? Notification.permission : 'none',
)

export async function askToNotify(): Promise<void> {
  notifying.value = await Notification.requestPermission()
}

const countNew = (list: readonly Exposure[]): number => list.filter(({ verdict }) => verdict === 'new').length

/** Shows the number of new exposures on the icon, as long as the app runs. */
export function badgeIcon(): void {
  effect(() => {
    const n = notifying.value === 'granted' ? countNew(exposures.value) : 0
    // Browsers without badges, and pages that are not installed, show none.
    if ('setAppBadge' in navigator)
      void (n > 0 ? navigator.setAppBadge(n) : navigator.clearAppBadge()).catch(() => undefined)
  })
}

/** Call before the exposures are shown. The page of exposures needs no notification. */
export async function notifyOfNew(list: readonly Exposure[]): Promise<void> {
  if (notifying.value !== 'granted' || countNew(list) <= countNew(exposures.value)) return
  if (document.visibilityState === 'visible' && location.hash.startsWith('#/exposures')) return
  const worker = await navigator.serviceWorker?.getRegistration()
  await worker?.showNotification('Geo Trace', { body: texts().shell.news, icon: '/icon.svg', tag: 'news' })
}

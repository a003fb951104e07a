/**
 * The pages of the native shell in Chromium, behind the bridge that Capacitor's Android runtime gives to a page. The test acts as
 * the phone: it answers the plugins and delivers positions. Real phones are not tested.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startWebServer, type WebServer } from '@geotrace/node/testing'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { makePages } from '../../native/scripts/pages.js'
import { inChromium, launchChromium, PAGE_WAIT_MS } from './chromium.ts'

const MANIFEST = fileURLToPath(new URL('../../../federation.json', import.meta.url))
const BRIDGE = readFileSync(
  createRequire(import.meta.url).resolve('@capacitor/android/capacitor/src/main/assets/native-bridge.js'),
  'utf8',
)
const PLUGINS = [
  {
    name: 'BackgroundGeolocation',
    methods: [
      { name: 'addWatcher', rtype: 'callback' },
      { name: 'removeWatcher', rtype: 'promise' },
    ],
  },
  { name: 'SecureStoragePlugin', methods: ['get', 'set', 'keys'].map((name) => ({ name, rtype: 'promise' })) },
]

/** A message of a page to the phone. */
interface Call {
  callbackId: string
  pluginId: string
  methodName: string
  options: { key?: string; value?: string; backgroundMessage?: string }
}

/** The phone: its secure storage, and the watchers of the page that is open. */
class Phone {
  readonly kept = new Map<string, string>()
  watchers: Call[] = []

  async open(context: BrowserContext, url: string): Promise<Page> {
    this.watchers = []
    const page = await context.newPage()
    await page.exposeFunction('toPhone', (text: string) => this.#take(page, JSON.parse(text)))
    await page.addInitScript(() => {
      const send = (text: string) => (globalThis as unknown as { toPhone(text: string): void }).toPhone(text)
      Object.assign(globalThis, { androidBridge: { postMessage: send } })
    })
    await page.addInitScript(BRIDGE)
    await page.addInitScript((plugins) => {
      Object.assign((globalThis as unknown as { Capacitor: object }).Capacitor, { PluginHeaders: plugins })
    }, PLUGINS)
    await page.goto(url)
    return page
  }

  /** Delivers a position or an error to every watcher. */
  async deliver(page: Page, result: { data?: object; error?: object }): Promise<void> {
    for (const call of this.watchers) await reply(page, call, { save: true, success: 'data' in result, ...result })
  }

  async #take(page: Page, call: Call): Promise<void> {
    const { methodName, options } = call
    if (methodName === 'addWatcher') this.watchers.push(call)
    if (methodName === 'set') this.kept.set(options.key!, options.value!)
    const data = {
      get: { value: this.kept.get(options.key ?? '') },
      set: { value: true },
      keys: { value: [...this.kept.keys()] },
      removeWatcher: {},
    }[methodName]
    if (data !== undefined) await reply(page, call, { success: true, data })
  }
}

function reply(page: Page, { callbackId, pluginId, methodName }: Call, result: object): Promise<void> {
  return page.evaluate(
    (message) =>
      (globalThis as unknown as { Capacitor: { fromNative(m: object): void } }).Capacitor.fromNative(message),
    { callbackId, pluginId, methodName, ...result },
  )
}

async function showPlace(page: Page): Promise<void> {
  await page.getByRole('button', { name: '1 position', exact: true }).click()
  await page.locator('.diary-table', { hasText: '52.52000, 13.40500' }).waitFor()
}

inChromium('the app in its native shell', () => {
  const folder = mkdtempSync(join(tmpdir(), 'geotrace-native-'))
  let server: WebServer
  let browser: Browser

  beforeAll(async () => {
    await makePages(folder, MANIFEST)
    ;[server, browser] = await Promise.all([startWebServer({ folder }), launchChromium()])
  })
  afterAll(async () => {
    await Promise.all([server?.stop(), browser?.close()])
    rmSync(folder, { recursive: true })
  })

  it('a position from the background enters the diary, which only the key of the phone opens again', async () => {
    const phone = new Phone()
    const context = await browser.newContext({ locale: 'en-GB' })
    context.setDefaultTimeout(PAGE_WAIT_MS)
    const page = await phone.open(context, server.url)
    await page.getByRole('button', { name: 'Start' }).click()
    await expect.poll(() => phone.watchers.length).toBe(1)
    expect(phone.watchers[0]!.options.backgroundMessage).toContain('stay on this phone')
    expect([...phone.kept.keys()]).toEqual(['geotrace-geotrace'])

    await phone.deliver(page, { error: { code: 'NOT_AUTHORIZED', message: 'denied' } })
    const state = () => page.evaluate(async () => (await navigator.permissions.query({ name: 'geolocation' })).state)
    expect(await state()).toBe('denied')
    const place = { latitude: 52.52, longitude: 13.405, accuracy: 5, time: Date.now() }
    await expect.poll(() => phone.watchers.length).toBe(1)
    await phone.deliver(page, { data: place })
    expect(await state()).toBe('granted')
    await page.evaluate(() => {
      location.hash = '#/diary'
    })
    await showPlace(page)
    await page.close()

    const again = await phone.open(context, `${server.url}#/diary`)
    await showPlace(again)
    await again.close()
    await context.close()
  })
})

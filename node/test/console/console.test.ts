import { readFileSync } from 'node:fs'
import { decodeQR } from 'qr/decode.js'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { inChromium, launchChromium, PAGE_WAIT_MS } from '../../../client/test/browser/chromium.ts'
import { accessibilityFaults, overflowPx } from '../../../client/test/browser/page-checks.ts'
import { type Office, openOffice } from './office.ts'

type Browser = Awaited<ReturnType<typeof launchChromium>>
type Page = Awaited<ReturnType<Browser['newPage']>>

/** A folder for pictures, to look at the console. */
const PICTURES = process.env.CONSOLE_PICTURES

inChromium('the console in Chromium', () => {
  let browser: Browser
  let office: Office
  const faults: string[] = []
  beforeAll(async () => {
    office = await openOffice()
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
    await office?.stop()
  })
  afterEach(() => expect(faults.splice(0)).toEqual([]))

  /** A signed-in page. No request may leave this machine, nor break the policy of the page. */
  const open = async (account?: string, options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
    context.setDefaultTimeout(PAGE_WAIT_MS)
    const page = await context.newPage()
    page.on('pageerror', (error) => faults.push(String(error)))
    page.on('console', (message) => void (message.type() === 'error' && faults.push(message.text())))
    page.on('request', (request) => {
      if (new URL(request.url()).hostname !== '127.0.0.1') faults.push(request.url())
    })
    await page.goto(await office.link(account))
    await page.getByRole('navigation').waitFor()
    return page
  }
  const go = async (page: Page, name: string): Promise<void> => {
    await page.getByRole('link', { name }).click()
    await page.getByRole('heading', { level: 1, name }).waitFor()
  }
  const close = (page: Page): Promise<void> => page.context().close()

  it('an admin sees who has a second factor, and removes it', async () => {
    const page = await open()
    await go(page, 'Staff')
    const carla = page.getByRole('row', { name: /carla/ })
    expect(await carla.getByRole('cell').nth(3).innerText()).toMatch(/^set\s+Remove$/)
    expect(await page.getByRole('row', { name: /anna/ }).getByRole('cell').nth(3).innerText()).toBe('none')
    await carla.getByRole('button', { name: 'Remove' }).click()
    await page.getByText('Remove the second factor of carla?').waitFor()
    await page.getByRole('button', { name: 'Remove' }).last().click()
    await carla.getByText('needed').waitFor()
    await close(page)
  })

  it('an admin sees the numbers, tries and publishes a held report, and takes a report back and restores it', async () => {
    const page = await open()
    // The code of the link does not stay in the address.
    expect(new URL(page.url()).hash).toBe('')
    await page.getByText('People marked, by degree').waitFor()
    await page.getByText('No alarm.').waitFor()
    await page.getByRole('img', { name: 'From report to marks: 1 reports' }).waitFor()
    await go(page, 'Reports')
    const second = page.getByRole('article', { name: /Report 2/ })
    await second.getByText('waits for review').waitFor()
    await second.getByRole('button', { name: 'Try' }).click()
    await second.getByText('Would mark 3 at degree 1').waitFor()
    await second.getByRole('button', { name: 'Publish' }).click()
    await second.getByRole('button', { name: 'Yes, publish' }).click()
    await second.getByText('computing').waitFor()
    await office.w.risk.settled()
    await page.reload()
    await second.getByText('3 people marked').waitFor()
    await second.getByRole('button', { name: 'Retract' }).click()
    await second.getByText('which marks 3 people now?').waitFor()
    await second.getByLabel('Reason').fill('the laboratory took two samples for one')
    await second.getByRole('button', { name: 'Yes, retract' }).click()
    await second.getByText('0 people marked').waitFor()
    await second.getByText('Reason: the laboratory took two samples for one').waitFor()
    await second.getByRole('button', { name: 'Restore' }).click()
    await second.getByRole('button', { name: 'Yes, restore' }).click()
    await second.getByText('computing').waitFor()
    await go(page, 'Audit log')
    await page.getByText(/The chain of \d+ lines is whole/).waitFor()
    for (const action of ['report.publish', 'report.retract', 'report.restore', 'account.add'])
      await page.getByRole('rowheader', { name: action }).first().waitFor()
    await close(page)
  })

  it('a case worker issues a code with its QR code, looks it up, revokes it, and sees own reports and no other page', async () => {
    const page = await open('anna')
    expect(await page.getByRole('navigation').getByRole('link').allTextContents()).toEqual(['Report codes', 'Reports'])
    await page.getByLabel('First symptoms').fill('2026-11-18')
    // Fields of one height keep the labels of a row on one line.
    const boxes = page.locator('.fields input')
    const heights = await boxes.evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height))
    expect(new Set(heights).size).toBe(1)
    await page.getByLabel('Label of the batch').fill('week 47')
    await page.getByRole('button', { name: 'Issue' }).click()
    const code = (await page.locator('.issued code').textContent())!
    expect(code).toMatch(/^(\w{4}-){3}\w{4}$/)
    const picture = await page.locator('.qr').screenshot()
    expect(await readQr(page, picture)).toBe(code)
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByRole('row', { name: /week 47/ }).waitFor()
    expect(await page.getByRole('row').filter({ hasText: 'laboratory 3' }).count()).toBe(0)
    await page.getByLabel('Report code').fill(code)
    await page.getByRole('button', { name: 'Show its status' }).click()
    await page.getByText('Infectious from 2026-11-16').waitFor()
    const lookUp = page.getByRole('status')
    await lookUp.getByRole('button', { name: 'Revoke' }).click()
    await lookUp.getByRole('button', { name: 'Yes, revoke' }).click()
    await lookUp.getByText('revoked').waitFor()
    await go(page, 'Reports')
    await page.getByRole('article', { name: /Report 2/ }).waitFor()
    expect(await page.getByRole('article').count()).toBe(1)
    expect(await page.getByRole('button', { name: 'Try' }).count()).toBe(0)
    await close(page)
  })

  it('an auditor sees everything and finds no button that changes something', async () => {
    const page = await open('berta')
    for (const name of ['Report codes', 'Reports', 'Staff', 'Audit log']) {
      await go(page, name)
      await page
        .getByRole('main')
        .getByText(/anna|Report 1|whole/)
        .first()
        .waitFor()
      expect(await page.getByRole('main').getByRole('button').count(), name).toBe(0)
    }
    await close(page)
  })

  it('an admin sees where reporters have been with ± and threshold, and saves the cells as GeoJSON and CSV', async () => {
    const page = await open()
    await go(page, 'Where reporters have been')
    await page.getByText(/people in \d+ cells of 5.2 km², of 343 that were counted/).waitFor()
    await page.getByText('A cell that is not shown has no more than 8.').waitFor()
    await page.getByText(/: no counts. Fewer than 100 took part/).waitFor()
    await page.getByRole('cell', { name: '90 ±1.9' }).waitFor()
    const shown = await page
      .getByRole('region', { name: /^Cells of/ })
      .getByRole('row')
      .count()
    for (const [name, lines] of [
      ['GeoJSON', (text: string) => JSON.parse(text).features.length],
      ['CSV', (text: string) => text.trim().split('\r\n').length - 1],
    ] as const) {
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: `Save as ${name}` }).click(),
      ])
      expect(file.suggestedFilename()).toBe(`spread.${name.toLowerCase()}`)
      expect(lines(readFileSync(await file.path(), 'utf8'))).toBe(shown - 1)
    }
    await close(page)
  })

  it('a used link and a closed session lead to the page that says how to sign in', async () => {
    const link = await office.link()
    const page = await browser.newPage()
    await page.goto(link)
    await page.getByRole('navigation').waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByText('You are not signed in').waitFor()
    await page.goto(link)
    await page.getByText('You are not signed in').waitFor()
    await page.close()
  })

  it('the console passes axe and never scrolls sideways, in light and dark, from 320 px to 1280 px', async () => {
    const found: string[] = []
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await open(undefined, { colorScheme })
      for (const name of ['Overview', 'Report codes', 'Reports', 'Where reporters have been', 'Staff', 'Audit log']) {
        for (const width of [1280, 320]) {
          await page.setViewportSize({ width, height: 900 })
          await go(page, name)
          await page
            .getByRole('main')
            .getByText(/Users|anna|Report 1|whole|People in a cell/)
            .first()
            .waitFor()
          const where = `${name} ${width} ${colorScheme}`
          found.push(...(await accessibilityFaults(page)).map((fault) => `${where}: ${fault}`))
          if ((await overflowPx(page)) > 0) found.push(`${where} scrolls sideways`)
          if (PICTURES) await page.screenshot({ path: `${PICTURES}/${where.replaceAll(' ', '-')}.png`, fullPage: true })
        }
      }
      await close(page)
    }
    expect(found).toEqual([])
  })
})

/** Decodes a picture of a QR code; the browser unpacks the PNG. */
async function readQr(page: Page, png: Buffer): Promise<string> {
  const { width, height, data } = await page.evaluate(
    async (bytes) => {
      const image = await createImageBitmap(new Blob([new Uint8Array(bytes)], { type: 'image/png' }))
      const canvas = new OffscreenCanvas(image.width, image.height)
      const context = canvas.getContext('2d')!
      context.drawImage(image, 0, 0)
      const { data } = context.getImageData(0, 0, image.width, image.height)
      return { width: image.width, height: image.height, data: [...data] }
    },
    [...png],
  )
  return decodeQR({ width, height, data: Uint8Array.from(data) })
}

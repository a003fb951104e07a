/** The suites that drive Chromium, with one shared browser, federation and server. */
import { afterAll, beforeAll, describe } from 'vitest'
import { appSuite } from './app-suite.ts'
import { inChromium } from './chromium.ts'
import { languageSuite } from './language-suite.ts'
import { quickstartSuite } from './quickstart-suite.ts'
import { spreadSuite } from './spread-suite.ts'
import { openStage, type Stage } from './stage.ts'
import { storageSuite } from './storage-suite.ts'
import { streetsSuite } from './streets-suite.ts'

inChromium('in Chromium', () => {
  let stage: Stage
  const given = (): Stage => stage
  beforeAll(async () => {
    stage = await openStage()
  })
  afterAll(() => stage?.close())

  describe('the quickstart', () => quickstartSuite(given))
  describe('IndexedDB', () => storageSuite(given))
  describe('the web app', () => appSuite(given))
  describe('the languages of the web app', () => languageSuite(given))
  describe('streets on the map', () => streetsSuite(given))
  describe('the spread on the map', () => spreadSuite(given))
})

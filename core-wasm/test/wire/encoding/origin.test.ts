import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isLoopbackOrigin, isOrigin } from '../../../src/wire/index.ts'

describe('the origin of an app', () => {
  it('an https origin counts only in the spelling that a browser sends', () => {
    for (const origin of [
      'https://app.example.org',
      'https://app.example.org:8443',
      'https://a',
      'https://xn--p1ai.example',
    ]) {
      expect(isOrigin(origin), origin).toBe(true)
    }
    for (const origin of [
      'http://app.example.org',
      'https://app.example.org/',
      'https://app.example.org:443',
      'https://app.example.org:0',
      'https://app.example.org:65536',
      'https://App.example.org',
      'https://app.example.org.',
      'https://user@app.example.org',
      'https://app.example.org?x',
      'https://*.example.org',
      'https://',
      'null',
      '*',
      '',
      'https://a b',
      // The URL standard reads a name that ends in a number as an address.
      'https://a.aa.0',
      'https://a.0x1',
      'https://1.2.3',
      'https://1.2.3.4',
    ]) {
      expect(isOrigin(origin), origin).toBe(false)
    }
  })

  it('every accepted origin is equal to the origin that the URL standard gives', () => {
    const url = fc.webUrl({ validSchemes: ['https', 'http'], withQueryParameters: true })
    const edited = fc
      .tuple(url, fc.string({ maxLength: 3 }))
      .map(([text, more]) => text.split('/').slice(0, 3).join('/') + more)
    fc.assert(
      fc.property(fc.oneof(url, edited), (text) => {
        if (isOrigin(text)) expect(new URL(text).origin).toBe(text)
      }),
      { numRuns: 2_000 },
    )
  })

  it('a loopback origin names the machine of the browser, with any port', () => {
    for (const origin of ['http://localhost:5173', 'https://127.0.0.1', 'http://127.9.8.7:1', 'http://[::1]:80']) {
      expect(isLoopbackOrigin(origin), origin).toBe(true)
    }
    for (const origin of [
      'http://localhost.example.org',
      'http://127.0.0.1.example.org',
      'http://10.0.0.1',
      'null',
      'file://',
    ]) {
      expect(isLoopbackOrigin(origin), origin).toBe(false)
    }
  })
})

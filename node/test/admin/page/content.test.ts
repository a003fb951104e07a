import { describe, expect, it } from 'vitest'
import { pageContent } from '../../../src/admin/page/content.ts'
import { STATUS } from './sample.ts'

describe('the content of the status page', () => {
  it('the status page escapes the name of the federation and the text of a hint', () => {
    const text = pageContent(STATUS)
    expect(text).not.toContain('<img')
    expect(text).toContain('&lt;img src=x onerror=&quot;alert(1)&quot;> &amp; Söhne')
    expect(text).toContain('The &lt;b>clock&lt;/b> is off.')
    expect(text).toContain('Run <code>geotrace doctor</code>.')
    // The content security policy forbids style attributes and event handlers.
    expect(text).not.toMatch(/\sstyle=|\son\w+="/)
  })

  it('the status page lists held shards, missing seeds, and the reasons of refusals, most frequent first', () => {
    const text = pageContent(STATUS)
    expect(text).toContain('held here: 1')
    expect(text).toContain('seed missing: 4')
    expect(text).toContain('0123456789abcdef')
    expect(text).toContain('1 of another federation')
    expect(text.indexOf('asked for a shard that this node does not hold')).toBeGreaterThan(0)
    expect(text.indexOf('asked for a shard that this node does not hold')).toBeLessThan(
      text.indexOf('asked for more than its quota'),
    )
    expect(text).toMatch(/aria-label="Salt requests of the last 24 hours: 12 345 answered, 42 refused"/)
  })

  it('the status page has one main heading in every state of health, with and without a roster', () => {
    for (const health of [
      'serving',
      'joining',
      'waiting',
      'draining',
      'forked',
      'leaving',
      'stopped',
      'seeds-missing',
      'clock-skewed',
      'roster-ended',
      'disk-full',
      'strayed',
    ] as const) {
      const bare = {
        ...STATUS,
        health,
        roster: undefined,
        shardCount: 0,
        shards: [],
        reach: undefined,
        history: [],
        hints: [],
      }
      for (const status of [{ ...STATUS, health }, bare]) {
        const text = pageContent(status)
        expect(text.match(/<h1/g)).toHaveLength(1)
        expect(text).not.toMatch(/undefined|NaN|\[object/)
      }
    }
  })
})

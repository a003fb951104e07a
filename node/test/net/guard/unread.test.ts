/** Who reads what it asks for is never stopped; who does not, soon. PROTOCOL.md §6.5. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { STREAMS_PER_PING, STREAMS_UNREAD_MAX, unreadGauge } from '../../../src/net/guard/unread.ts'
import { STREAMS_PER_CONNECTION } from '../../../src/net/limits.ts'

const numbers = (): (() => number) => {
  let n = 0
  return () => ++n
}

it('lets a peer open what it likes that reads in order, however late, with as many streams open as it may have', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 500 }), (steps) => {
      const gauge = unreadGauge(numbers())
      // What was sent to the peer, oldest first: answers, and pings among them.
      const sent: ('answer' | number)[] = []
      const open = () => sent.filter((item) => item === 'answer').length
      for (const isReading of steps) {
        if (isReading || open() === STREAMS_PER_CONNECTION) {
          const item = sent.shift()
          if (typeof item === 'number') expect(gauge.answered(item)).toBe(true)
        } else {
          const opened = gauge.opened()
          if (opened === false) throw new Error('stopped')
          // A ping overtakes the answer of the stream that it came with, which takes longer.
          if (opened.ping !== undefined) sent.push(opened.ping)
          sent.push('answer')
        }
      }
    }),
  )
})

it('stops a peer that answers no ping, or another than was asked, once it has twice as many as can be unread', () => {
  const gauge = unreadGauge(numbers())
  for (let i = 1; i < STREAMS_PER_PING; i++) expect(gauge.opened()).toEqual({})
  expect(gauge.opened()).toEqual({ ping: 1 })
  expect(gauge.answered(2)).toBe(false)
  for (let i = 0; i < STREAMS_UNREAD_MAX; i++) expect(gauge.opened()).toEqual({})
  expect(gauge.opened()).toBe(false)
})

it('takes each answer to a ping once', () => {
  const gauge = unreadGauge(numbers())
  expect(gauge.answered(0)).toBe(false)
  for (let i = 0; i < STREAMS_PER_PING; i++) gauge.opened()
  expect(gauge.answered(1)).toBe(true)
  expect(gauge.answered(1)).toBe(false)
})

import { fakeFederation, openTracer, seededBytes } from '@geotrace/client/testing'
import type { Fix } from '@geotrace/core-wasm'
import { describe, expect, it } from 'vitest'
import { type Resident, simulateResidents, simulateVisitor } from '../../../src/cli/demo/residents.ts'

/** Nineteen displacements of a zone are possible; so many devices draw all of them. */
const DEVICES = 100

const federation = await fakeFederation()
const now = federation.clock.now()
const visitor = simulateVisitor(now, seededBytes('visitor')) as {
  home: Resident['home']
  features: { geometry: { coordinates: [number, number] }; properties: { time: string; accuracyM: number } }[]
}
const you = {
  name: 'you',
  home: visitor.home,
  fixes: visitor.features.map(({ geometry: { coordinates }, properties: { time, accuracyM } }) => ({
    ...{ lng: coordinates[0], lat: coordinates[1], accuracyM, at: Date.parse(time) },
  })),
}
const people = [...simulateResidents(now, seededBytes('town')), you].map((person) => [person.name, person] as const)

/** The fix nearest to home among those that lie within a few metres of the one before, away from home. */
function nearestStay({ home, fixes }: Pick<Resident, 'home' | 'fixes'>): Fix {
  const metres = (a: { lat: number; lng: number }, b: { lat: number; lng: number }): number =>
    111_195 * Math.hypot(a.lat - b.lat, (a.lng - b.lng) * 0.61)
  const stays = fixes.filter((fix, i) => i > 0 && metres(fix, fixes[i - 1]!) < 10 && metres(fix, home) > 100)
  return stays.sort((a, b) => metres(a, home) - metres(b, home))[0]!
}

describe('the residents of the demo', () => {
  it.each(people)(
    'the zone around the home of %s hides no stay elsewhere, wherever the device displaces it',
    async (_name, person) => {
      const stay = nearestStay(person)
      const zones = new Set<string>()
      for (let device = 0; device < DEVICES; device++) {
        const random = seededBytes(`device/${device}`)
        const tracer = await openTracer(federation, { random, redaction: {} })
        await tracer.home.mark(person.home)
        zones.add((await tracer.home.zone()).join())
        expect(await tracer.record(stay), `device ${device}`).toEqual({ accepted: true })
        await tracer.close()
      }
      expect(zones.size).toBe(19)
    },
  )
})

import { describe, expect, it } from 'vitest'
import { expectRefusal, fixesOf, receiptOf, TIME } from '../reading.ts'

const gpx = (body: string) =>
  `<?xml version="1.0"?>\n<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">\n${body}\n</gpx>\n`
const track = (points: string) => gpx(`<trk><trkseg>\n${points}\n</trkseg></trk>`)
const point = (inner = `<time>${TIME}</time>`, attributes = 'lat="1" lon="2"') =>
  `<trkpt ${attributes}>${inner}</trkpt>`

describe('a GPX file', () => {
  it('a GPX file gives the timed points of its tracks and routes', async () => {
    const text = gpx(`<trk><trkseg/><trkseg>
      <trkpt lat="45.1" lon="14.2"><ele>5</ele><time>2010-08-05T14:23:59Z</time></trkpt>
      <trkpt lat="45.3" lon="14.4"></trkpt></trkseg></trk>
      <wpt lat="7" lon="7"><time>2010-08-05T14:23:59Z</time></wpt>
      <rte><rtept lat="-45.5" lon="-14.6"><time>2010-08-05T14:24:59.5Z</time></rtept></rte>`)
    expect(await fixesOf('a.gpx', text)).toEqual([
      { lat: 45.1, lng: 14.2, at: Date.UTC(2010, 7, 5, 14, 23, 59) },
      { lat: -45.5, lng: -14.6, at: Date.UTC(2010, 7, 5, 14, 24, 59, 500) },
    ])
    expect((await fixesOf('a.gpx', text.replaceAll(/<(\/?)(gpx|trk|rte|time)/g, '<$1x:$2'))).length).toBe(2)
  })

  it('an accuracy counts wherever it stands in the point, and the largest of several counts', async () => {
    const bodies = [
      `<time>${TIME}</time><accuracy>7</accuracy>`,
      `<time>${TIME}</time><extensions><a:hAcc>7</a:hAcc><vAcc>90</vAcc></extensions>`,
      `<time>${TIME}</time><extensions><x><y><accuracy_horizontal>7.0</accuracy_horizontal></y></x></extensions>`,
      `<time>${TIME}</time><hAcc>3</hAcc><extensions><precision>7 m</precision></extensions>`,
    ]
    for (const body of bodies) expect((await fixesOf('a.gpx', track(point(body))))[0]?.accuracyM).toBe(7)
    expect((await fixesOf('a.gpx', track(point(undefined, 'lat="1" lon="2" accuracy="7"'))))[0]?.accuracyM).toBe(7)
  })

  it('a time with an attribute counts, and two times that differ leave the point out', async () => {
    const two = `<time>${TIME}</time><time>2026-11-20T09:31:15Z</time>`
    const receipt = await receiptOf('a.gpx', track(`${point(`<time zone="UTC">${TIME}</time>`)}\n${point(two)}`))
    expect(receipt).toMatchObject({ kept: 1, leftOut: { 'time-ambiguous': 1 } })
    expect(receipt.first[0]).toMatchObject({ line: 5 })
  })

  it('a broken point costs itself only', async () => {
    const broken = ['<trkpt lat="1" lon="2"><time>', '<trkpt lat="1" lon="2"><__proto__>1</__proto__></trkpt>']
    for (const text of broken) {
      const receipt = await receiptOf('a.gpx', track(`${point()}\n${text}\n${point()}`))
      expect(receipt).toMatchObject({ kept: 2, leftOut: { malformed: 1 } })
      expect(receipt.first[0]?.line).toBe(5)
    }
  })

  it('a file that holds no track is refused with what it is', async () => {
    await expectRefusal('a.gpx', 'not xml', 0, /not XML/)
    await expectRefusal('a.gpx', '<a>\n<b></a>', 0, /first element is <a>/)
    await expectRefusal('a.gpx', '<!DOCTYPE html><html></html>', 0, /web page/)
    await expectRefusal('a.gpx', gpx('<wpt lat="1" lon="2"/>'), 0, /no track/)
    await expectRefusal('a.gpx', gpx(''), 0, /no track/)
    await expectRefusal('a.gpx', track('<trkpt lat="1" lon="2"/>'), 4, /no time.*with times/)
    await expectRefusal('a.gpx', track(point(undefined, 'lat="95" lon="2"')), 4, /95/)
  })

  it('a document type with nested entities is skipped and stays small', async () => {
    const lines = Array.from({ length: 20 }, (_, i) => `<!ENTITY e${i + 1} "&e${i};&e${i};">`).join('\n')
    const text = `<!DOCTYPE gpx [<!ENTITY e0 "x">\n${lines}]>\n${track(`<name>&e20;</name>${point()}`)}`
    expect((await fixesOf('a.gpx', text)).length).toBe(1)
  })
})

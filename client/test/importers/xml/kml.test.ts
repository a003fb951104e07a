/**
 * The files follow the schemas of KML 2.2 with Google's extensions and of KML 2.3. The track has the lists that OpenTracks
 * writes. No real file was at hand.
 */
import { describe, expect, it } from 'vitest'
import { AT as at, expectRefusal, fixesOf, receiptOf, TIME } from '../reading.ts'

const kml = (body: string) =>
  `<?xml version="1.0"?>\n<kml xmlns="http://www.opengis.net/kml/2.3" xmlns:gx="http://www.google.com/kml/ext/2.2">\n<Document>\n${body}\n</Document></kml>`
const LATER = '2026-11-20T09:31:15Z'
const OPEN_TRACKS = kml(`<Placemark><gx:MultiTrack><gx:Track>
<when>${TIME}</when><when>${LATER}</when>
<gx:coord>11.5 48.1 500</gx:coord><gx:coord/>
<ExtendedData><SchemaData schemaUrl="#schema">
<gx:SimpleArrayData name="speed"><gx:value>1</gx:value><gx:value>2</gx:value></gx:SimpleArrayData>
<gx:SimpleArrayData name="accuracy_horizontal"><gx:value>7</gx:value><gx:value>8</gx:value></gx:SimpleArrayData>
</SchemaData></ExtendedData></gx:Track></gx:MultiTrack></Placemark>`)

describe('a KML file', () => {
  it('a track pairs its times with its positions and its accuracies', async () => {
    expect(await fixesOf('a.kml', OPEN_TRACKS)).toEqual([{ lat: 48.1, lng: 11.5, accuracyM: 7, at }])
    expect(await receiptOf('a.kml', OPEN_TRACKS)).toMatchObject({ entries: 2, leftOut: { 'no-position': 1 } })
    const newer = OPEN_TRACKS.replaceAll('gx:', '')
    expect(await fixesOf('a.kml', newer)).toEqual(await fixesOf('a.kml', OPEN_TRACKS))
  })

  it('a placemark gives its point when it has a time', async () => {
    const point = '<Point><coordinates>11.5,48.1,500</coordinates></Point>'
    const data = '<ExtendedData><Data name="Accuracy"><value>7</value></Data></ExtendedData>'
    const text = kml(`<Placemark><TimeStamp><when>${TIME}</when></TimeStamp>${data}${point}</Placemark>
<Placemark><name>church</name>${point}</Placemark>
<Placemark><LineString><coordinates>1,2 3,4</coordinates></LineString></Placemark>`)
    expect(await fixesOf('a.kml', text)).toEqual([{ lat: 48.1, lng: 11.5, accuracyM: 7, at }])
    const receipt = await receiptOf('a.kml', text)
    expect(receipt).toMatchObject({ leftOut: { 'no-time': 1 } })
    expect(receipt.first[0]?.line).toBe(5)
  })

  it('a track whose lists differ in length is left out with its line', async () => {
    const short = OPEN_TRACKS.replace('<gx:coord/>', '')
    await expectRefusal('a.kml', short, 4, /2 times for 1 positions/)
    await expectRefusal('a.kml', kml(''), 0, /no track/)
  })
})

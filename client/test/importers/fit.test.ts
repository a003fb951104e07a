/** The files are written with the encoder of fit-file-parser after the FIT profile 21. No real file was at hand. */
import { FitBaseType, FitEncoder } from 'fit-file-parser/encoder'
import { describe, expect, it } from 'vitest'
import { importFile } from '../../src/importers/index.ts'
import { AT as at, receiptOf, refusal } from './reading.ts'

const RECORD = 20
const NO_SINT32 = 0x7fffffff
const toSemicircles = (degrees: number) => Math.round((degrees / 180) * 2 ** 31)

function fit(records: readonly { lat: number; lng: number; accuracy: number }[]): Uint8Array {
  const encoder = new FitEncoder({ protocolVersion: 0x20 })
  const field = (number: number, baseType: FitBaseType, size: number, value: number) => ({
    number,
    baseType,
    size,
    value,
  })
  for (const [i, { lat, lng, accuracy }] of records.entries()) {
    encoder.writeMessage(RECORD, [
      field(253, FitBaseType.Uint32, 4, FitEncoder.toFitTimestamp(new Date(at + i * 1000))),
      field(0, FitBaseType.Sint32, 4, lat),
      field(1, FitBaseType.Sint32, 4, lng),
      field(31, FitBaseType.Uint8, 1, accuracy),
    ])
  }
  return encoder.close()
}

describe('a FIT file', () => {
  const records = [
    { lat: toSemicircles(48.1), lng: toSemicircles(-11.5), accuracy: 7 },
    { lat: NO_SINT32, lng: NO_SINT32, accuracy: 255 },
    { lat: toSemicircles(48.2), lng: toSemicircles(11.6), accuracy: 255 },
  ]

  it('the records with a position are kept, under any name of a track', async () => {
    const want = [
      { lat: 48.1, lng: -11.5, accuracyM: 7, at },
      { lat: 48.2, lng: 11.6, at: at + 2000 },
    ]
    for (const name of ['a.fit', 'A.FIT', 'a.gpx']) expect((await importFile(name, fit(records))).fixes).toEqual(want)
    const receipt = await receiptOf('a.fit', fit(records))
    expect(receipt).toMatchObject({ entries: 3, leftOut: { 'no-position': 1 }, unknownAccuracy: 1 })
    expect(receipt.first[0]).toMatchObject({ line: 0, detail: 'record 2: the position is missing' })
  })

  it('a damaged FIT file and a text named .fit are refused', async () => {
    const cut = fit(records).subarray(0, -5)
    await expect(importFile('a.fit', cut)).rejects.toMatchObject(refusal(0, /damaged or was cut off/))
    await expect(importFile('a.fit', 'lat,lng,time\n1,2,3\n')).rejects.toMatchObject(refusal(0, /no FIT file/))
  })
})

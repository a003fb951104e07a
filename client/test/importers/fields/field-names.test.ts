import { describe, expect, it } from 'vitest'
import { nameToField } from '../../../src/importers/fields/field-names.ts'

describe('the names of fields', () => {
  it('every spelling of an accuracy is one name, whatever its case, blanks, underscores and unit', () => {
    const names =
      'accuracy Accuracy ACCURACY accuracyM accuracy_m accuracyMeters hAcc hacc acc precision horizontalAccuracy ' +
      'horizontal_accuracy accuracy_horizontal accuracy-horizontal gps_accuracy accuracyInMeters eph'
    for (const name of [...names.split(' '), 'Accuracy (m)', 'accuracy [m]', ' Horizontal Accuracy ', '#accuracy']) {
      expect(nameToField(name), name).toMatchObject({ role: 'accuracy', metres: 1 })
    }
  })

  it('an accuracy in another unit has the metres of that unit', () => {
    expect(nameToField('Accuracy (ft)')?.metres).toBe(0.3048)
    expect(nameToField('accuracy_km')?.metres).toBe(1000)
    expect(nameToField('hAcc(mm)')?.metres).toBe(0.001)
  })

  it('the accuracy of something else is no accuracy of the position', () => {
    for (const name of 'verticalAccuracy speedAccuracy bearing_accuracy vAcc vac hdop pdop accurate constructor'.split(
      ' ',
    )) {
      expect(nameToField(name), name).toBeUndefined()
    }
  })

  it('times, dates, zones, positions and hemispheres have their roles', () => {
    const roles = { lat: ['Lat', 'LATITUDE N/S'], lng: ['lon', 'Longitude (deg)'], time: ['#time', 'tst', 'UTC TIME'] }
    for (const [role, names] of Object.entries({
      ...roles,
      date: ['DATE'],
      offset: ['time_offset'],
      northSouth: ['N/S'],
      eastWest: ['E/W'],
    })) {
      for (const name of names) expect(nameToField(name)?.role, name).toBe(role)
    }
  })
})

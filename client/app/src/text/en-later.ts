/** English texts of the views that load when they are shown. Their form is the form of every other language. */
import type { Verdict } from '@geotrace/client'
import type { LeftOutReason } from '@geotrace/client/importers'
import type { Numbers } from '@geotrace/client/words'
import type { Salting } from '@geotrace/core-wasm'
import type { GapCause } from '../day/timeline.ts'

export type Later = ReturnType<typeof later>
type Sentences<Key extends string> = Readonly<Record<Key, string>>
/** The values in the sentences that say how a spread was counted. */
interface HowCounted {
  mixer: string
  teller: string
  epsilon: string
  sd: string
  days: number
  minimum: number
}

export const later = (n: Numbers) => {
  const positions = (count: number) => n.count(count, { one: '# position', other: '# positions' })
  const exposures = (count: number) => n.count(count, { one: '# exposure', other: '# exposures' })
  const hashes = (count: number) => n.count(count, { one: '# hash', other: '# hashes' })
  const gaps: Readonly<Record<GapCause, { title: string; why: string }>> = {
    paused: { title: 'Paused', why: 'You had paused recording.' },
    denied: { title: 'No location', why: 'The browser did not give this page your location.' },
    unavailable: { title: 'No location', why: 'This device could not find its position.' },
    inaccurate: { title: 'Too inaccurate', why: 'Only positions that were too inaccurate came.' },
    home: { title: 'Near home', why: 'Positions near home are left out. Only this cause was kept.' },
    night: { title: 'Night at home', why: 'Positions near home are left out. Only this cause was kept.' },
    zone: { title: 'In a hidden zone', why: 'You hid this zone. Only this cause was kept.' },
    speed: { title: 'Riding', why: 'Positions at more than 108 km/h are left out.' },
    none: { title: 'Nothing recorded', why: 'No position came. The page was closed, or you deleted this time.' },
    before: { title: 'Before the diary', why: 'The diary begins later.' },
  }
  const said: Sentences<Verdict> = {
    new: 'The exposure is open again.',
    confirmed: 'You said that you were there.',
    dismissed: 'You said that this was not you. It no longer counts.',
    archived: 'The exposure is put away.',
  }
  const leftOut: Sentences<LeftOutReason> = {
    'no-fix': 'without a measured position, such as visits and WiFi scans',
    'no-time': 'without a time',
    'no-position': 'without a position',
    'position-zero': 'at 0, 0, where receivers are before their first position',
    'position-unreadable': 'with a position that cannot be read',
    'position-impossible': 'with an impossible position',
    'time-unreadable': 'with a time that cannot be read',
    'time-impossible': 'with an impossible time',
    'time-ambiguous': 'with two different times',
    'accuracy-unreadable': 'with an accuracy that cannot be read',
    malformed: 'damaged',
    'too-old': 'older than 28 days',
  }
  return {
    steps: {
      title: 'Three things, then you are set',
      toMap: 'Go to the map',
      location: '1. Your location',
      allowed: 'The browser gives this page your location. It stays on this device.',
      denied:
        'The browser does not give this page your location. Allow it in the browser’s settings for this page, then try again.',
      notAsked: 'The browser asks you once. Without your location nothing can be compared.',
      allow: 'Allow the location',
      home: '2. Where do you sleep?',
      homeKnown: 'Your home is known. Nothing within 300 m of it is ever sent.',
      homeUnknown:
        'Nothing within 300 m of your home is ever sent. Until your home is known, everything waits on this device.',
      open: '3. Keep this page open',
      openWhy:
        'A browser gives positions only while this page is open and on screen. Hours in which it is closed cannot be compared, and the status says so.',
    },
    home: { here: 'I am at home now', onMap: 'Mark it on the map' },
    town: {
      title: 'Live in the demo’s town',
      lead: 'This is a demo: take over the last hours of somebody who sat in the café where Ada sat before she reported, home included, and see what happens.',
      take: 'Take over these hours',
      agreeFirst: 'Agree to a diary and to deposits first.',
      syncing: 'Syncing …',
      failed: 'The sync failed; the app tries again.',
      synced: 'Synced: look at the map and the exposures.',
      see: 'See the exposure',
    },
    /** `2 positions taken; left out: 1 near home.` */
    recorded: (taken: number, refused: readonly string[]) =>
      `${positions(taken)} taken${refused.length > 0 ? `; left out: ${n.list(refused)}` : ''}.`,
    refused: (count: number, reason: string) => `${n.number(count)} ${reason}`,
    keptAsHistory: (count: number) =>
      `${positions(count)} older than three hours: kept for 14 days for home, map and spread, never matched.`,
    spot: {
      title: 'This place',
      close: 'Close',
      see: 'See this exposure',
      yours: (why: string) => `Your position: ${why}.`,
      homeHere: 'My home is here',
      hide: (radius: string) => `Hide ${radius} here`,
      hidden: (radius: string) => `${radius} around this place are hidden.`,
      homeNow: 'This is your home now. What waited may go out.',
      preview: 'The grey zone on the map is never sent. It is larger than your home, and not centred on it.',
      far: (distance: string) =>
        `This is ${distance} from the places where this device spent its nights. A wrong home lets your real home go out.`,
      yes: 'Yes, hide this zone',
      no: 'No',
    },
    stay: {
      lead: 'You were here, and this device had no position. Only the last three hours can be compared.',
      from: 'From',
      until: 'until',
      add: 'I was here',
      diary: 'See the diary',
    },
    diary: {
      title: 'Diary',
      days: 'Days',
      recorded: (day: string, hours: string) => `${day}: ${hours} recorded`,
      recordedAndMet: (day: string, hours: string, met: number) => `${day}: ${hours} recorded, ${exposures(met)}`,
      deleted: (count: number) =>
        `${positions(count)} deleted. The next sync takes their fingerprints back at the central peer.`,
      nothing: 'No positions on this day.',
      summary: (stays: number, fixes: number) =>
        `${n.count(stays, { one: '# stay', other: '# stays' })}, ${positions(fixes)}, on this device only.`,
      addByHand: 'Add a place by hand',
      deleteDay: 'Delete this day',
      strip: (fixes: number, possible: number) => `${positions(fixes)} of ${n.number(possible)} possible`,
      gaps,
      way: 'On the way',
      noName: 'A place without a name',
      map: 'Map',
      name: 'Name',
      rename: 'Rename',
      positions,
      delete: 'Delete',
      nameOf: 'Name of this place',
      nameExample: 'Café, work, gym …',
      save: 'Save',
      ask: {
        stay: { title: 'Delete this stay', yes: 'Yes, delete this stay' },
        way: { title: 'Delete this way', yes: 'Yes, delete this way' },
        day: { title: 'Delete this day', yes: 'Yes, delete this day' },
      },
      askWhy:
        'It is deleted here and at the central peer. This cannot be undone, and you will not be warned of this time.',
      keep: 'Keep',
      table: 'Positions',
      time: 'Time',
      place: 'Place',
      accuracy: 'Accuracy',
      state: 'State',
      deletePosition: (time: string) => `Delete the position of ${time}`,
    },
    exposures: {
      title: 'Exposures',
      said,
      undo: 'Undo',
      open: (count: number) => `Open (${n.number(count)})`,
      away: (count: number) => `Put away (${n.number(count)})`,
      unknown: 'Nothing is known yet',
      unknownWhy:
        'None of your hours has been compared with those of others, so this device cannot tell whether you were near somebody who tested positive.',
      none: 'No known exposure',
      noneWhy: (span: string, since: string) =>
        `In ${span} that could be compared, none of your fingerprints was at risk, as of the sync ${since}. Other hours are not known.`,
      days: 'Compared hours by day',
      day: (day: string, hours: string) => `${day}: ${hours}`,
      seeOnMap: 'See it on the map',
      details: 'Details',
      detail: (place: string, matches: number, layers: number) =>
        `<place>${place}</place>, ${n.count(matches, { one: '# equal fingerprint', other: '# equal fingerprints' })}, at best in ${n.number(layers)} of 3 grids.`,
      writtenBy: (authority: string) => `Written by ${authority}.`,
      wasThere: 'I was there',
      notMe: 'That was not me',
      putAway: 'Put away',
      bringBack: 'Bring back',
      map: 'Map of this place',
      you: 'You',
      they: 'They, some time in',
      share: 'Share or print',
      shareWhy: 'This text, and nothing else, goes to where you send it:',
      withPlace: 'With the place',
      send: 'Share',
      copy: 'Copy',
      print: 'Print',
      close: 'Close',
      copied: 'Copied.',
      notCopied: 'The browser did not copy it.',
      shared: (init: { day: string; from: string; to: string; isDirect: boolean; certainty: string; place?: string }) =>
        `Geo Trace: on ${init.day}, ${init.from} to ${init.to}, I was near ${init.isDirect ? 'somebody who later reported a positive test' : 'a contact of somebody who tested positive'}. Certainty: ${init.certainty.toLowerCase()}.${init.place === undefined ? '' : ` Place: ${init.place}.`}`,
    },
    sync: {
      title: 'Sync',
      lead: 'Once an hour this device asks volunteers for keys, turns the diary into fingerprints, deposits them and reads what comes back. It looks the same whether there is something to say or not.',
      notAgreed: 'You have not agreed to deposits. <a>Change that in the settings.</a>',
      label: 'This sync',
      running: 'Syncing …',
      now: 'Sync now',
      notYet: 'Not yet since the app was opened',
      last: (when: string) => `Last ${when}`,
      next: (when: string) => `Next ${when}`,
      nextNow: 'Next now',
      noNetwork: 'There is no network. The app tries again by itself; nothing is lost for three hours.',
      progress: 'The sync’s progress',
      phases: {
        rosters: 'The list of the federation’s peers',
        salts: 'Keys from volunteers',
        hashes: 'Fingerprints on this device',
        deposit: 'Deposit and reply',
      },
      done: (done: number, of: number) => ` (${n.number(done)} of ${n.number(of)})`,
      here: 'On this device',
      waiting: 'Waiting for keys',
      held: 'Waiting until home is known',
      ready: 'Ready to deposit',
      deposited: 'Deposited so far',
      lost: 'Could not be compared',
      rowsLost: 'Refused or too late',
      oldest: (when: string) => `The oldest is lost ${when}, unless a sync begins before.`,
      oldestNow: 'The oldest is lost now, unless a sync begins.',
      heldWhy:
        'Fingerprints are made in time but stay here while your home is unknown. <a>Mark your home</a> to let them go.',
      positions: 'positions',
      prints: 'fingerprints',
      result: 'What the last sync did',
      hashed: 'Made into fingerprints',
      points: (count: number) => n.count(count, { one: '# fingerprint', other: '# fingerprints' }),
      salts: 'Keys',
      asked: 'asked',
      reused: (reused: number, requests: number) =>
        `${n.number(reused)} reused, ${n.count(requests, { one: '# request', other: '# requests' })}`,
      sentRows: 'Deposited',
      batches: (count: number) => n.count(count, { one: '# batch', other: '# batches' }),
      marks: 'New at risk',
      sent: 'Sent',
      received: (bytes: string) => `received ${bytes}`,
      clock: 'Clock',
      notAsked: 'not asked',
      clockOff: 'off the volunteers’',
      fixesLost: 'Lost, older than three hours',
      deferred: 'No volunteer answered',
      wait: 'positions wait',
      dropped: 'Dropped near home or in a zone',
      refused: 'Refused',
      lied: 'Volunteers caught lying',
      volunteers: 'volunteers',
      lostToRoster: 'Lost to another list of peers',
      contradicted: 'Authority contradicted itself',
      times: 'times',
      spent: (keys: string, hashing: string, deposit: string) =>
        `Keys took ${keys}, fingerprints ${hashing}, the deposit ${deposit}.`,
    },
    report: {
      title: 'Report a positive test',
      lead: 'With the code that the health authority gave you. Those who were near you learn where and when they met somebody, not whom.',
      code: 'Report code',
      codeHelp: 'Sixteen letters and digits. O counts as 0, and I as 1.',
      agree:
        'I agree that the fingerprints of the last days are compared with those of others. They go with a random number of this device, without a place and without a name.',
      reporting: 'Reporting …',
      waiting: 'Waiting …',
      report: 'Report',
      needsDeposit: 'Reporting needs your agreement to deposits, in the settings.',
      keepCode: 'Keep the code. It can be used when at least one hour can warn others.',
      rhythm:
        'A report has the size of any other sync and goes to the same peers. It goes at once, so somebody who watches this network sees a sync outside the hourly rhythm.',
      accepted: 'Reported. The central peer accepted the code.',
      held: 'Reported. The authority looks at the report before it warns others.',
      updated: 'You reported with this code before. The report was updated.',
      noAnswer: 'The central peer gave no answer to the code. The next sync asks again.',
      kept: 'The central peer cannot be reached. Your report waits on this device and goes with the next sync.',
      unknown: 'It is not known yet which hours can warn others.',
      noReach: 'No hour can warn others yet',
      reach: (span: string) => `${span} can warn others`,
      noReachWhy: 'The central peer has no fingerprint of this device, so nobody would learn of your report.',
      reachWhy: 'Everybody who was near you in these hours, or shortly after, learns of it at the next sync.',
      heldMore: (count: number) =>
        `${n.count(count, { one: '# position more waits', other: '# positions more wait' })} until your home is known. <a>Mark your home now</a>, then sync, so that these hours warn others too.`,
      stopCamera: 'Stop the camera',
      scan: 'Scan a QR code',
      camera: 'What the camera sees',
      cameraDenied:
        'The camera is not allowed to this page; your browser’s settings can change that. Please type the code.',
      noCamera: 'This device has no camera. Please type the code.',
      cameraFailed: 'The camera cannot be used. Please type the code.',
    },
    ownReport: {
      title: (day: string) => `You reported on ${day}`,
      stages: {
        accepted: 'The central peer has your report. People who were near you learn of it at their next sync.',
        held: 'The authority looks at your report before it warns others.',
        published: 'People who were near you are warned at their next sync.',
        updated: 'You changed your report. People who were near you learn of it at their next sync.',
        withdrawn: 'You took this report back.',
        ended: 'This report no longer counts: its days are over, or the authority took it back.',
      },
      takeBack: 'Take the report back',
      takeBackWhy:
        'After an error or a negative test all warnings from this report end. When you have recovered, they stay, and new ones end.',
      reasons: {
        withdrawn: 'It was an error',
        negative: 'A later test was negative',
        recovered: 'I have recovered',
      },
      withdrawn: 'Taken back.',
      kept: 'The central peer cannot be reached. It learns of this with the next sync.',
    },
    spread: {
      title: 'Where reporters have been',
      close: 'Close',
      loading: 'Asking members of the federation …',
      none: 'This federation does not count places.',
      notYet: 'Nothing is published yet.',
      firstEnds: (day: string) => `Nothing is published yet. The period under way ends on ${day}, and is counted then.`,
      summary: (people: number, cells: number, area: string) =>
        `${n.count(people, { one: '# person', other: '# people' })} in ${n.count(cells, { one: '# cell', other: '# cells' })} of ${area} km².`,
      empty: (threshold: string) => `No cell is coloured: each has no more than ${threshold} people.`,
      legend: (sd: string) => `People in a cell, ±${sd}`,
      from: (least: string) => `${least} or more`,
      rest: (threshold: string) =>
        `Not coloured: no more than ${threshold}. Paler: longer ago, gone after 14 days. Circles: groups of cells, from far away.`,
      show: 'Show these places',
      how: 'How this was counted',
      howCounted: (of: HowCounted) => [
        'Each reporter’s device drew one place of its last 14 days and sealed it twice. It counts once, and nobody can tell whose it is.',
        `A volunteer, ${of.mixer}, mixed the sealed places and added noise. Another one, ${of.teller}, opened and counted them, added noise of its own and signed. This device checked the signature.`,
        `The noise hides each person (ε = ${of.epsilon} for each of the two). So a number is off by ±${of.sd}: the standard deviation. Exact numbers exist nowhere.`,
        `A period has ${n.count(of.days, { one: '# day', other: '# days' })} of UTC. Fewer than ${n.number(of.minimum)} reports are not counted.`,
        'Someone who reports may not take part, or may lie. So a cell without colour is not safe, and a coloured one is not dangerous now.',
      ],
      table: 'As a table',
      place: 'Middle of the cell',
      people: 'People',
      moreRows: (count: number) => `and ${n.count(count, { one: '# more cell', other: '# more cells' })}`,
      older: (periods: readonly string[]) => `Also shown, paler: ${n.list(periods)}.`,
      missing: (days: string, minimum: string) =>
        `${days}: no counts. Fewer than ${minimum} took part, or the count is not finished.`,
      refused: 'The counts that a member gave were refused: they are not those that the federation published.',
    },
    tokens: {
      title: 'Tokens',
      why: 'A token opens a quota of this device’s own at a volunteer’s computer for a day. Volunteers see that some enrolled device has it, and not which.',
      notEnrolled: 'This device is not enrolled. It shares the quota of its network with all devices there.',
      enrolled: (today: number, tomorrow: number) =>
        `Enrolled. Tokens for today: ${n.number(today)}, for tomorrow: ${n.number(tomorrow)}.`,
      next: (when: string) => `The next tokens come ${when}, if the app is open then.`,
      soon: 'The next tokens come within the next half hour, if the app stays open.',
      code: 'Enrolment code',
      enrol: 'Enrol this device',
      enrolling: 'Enrolling …',
      refused: 'The authority gives no tokens to this device. Ask for a new enrolment code.',
      again: 'The federation did not answer. The code is still good: please try again in a minute.',
    },
    transfer: {
      title: 'Import & export',
      reading: (done: string, of: string) => `Reading … ${done} of ${of}`,
      taking: (done: number, of: number) => `Taking ${n.number(done)} of ${n.number(of)} …`,
      noFix: 'The file has no position of the last 28 days.',
      tracks: 'Tracks of other apps',
      formats:
        'GPX, KML, TCX, FIT, GeoJSON with times, CSV, Geolife, and Google’s location history (<file>Records.json</file>, <file>Timeline.json</file>). The file stays here.',
      window:
        'Before you start: only the last three hours can still be matched, because the salts of older hours are gone. Older positions stay on this device for 14 days, for your home, your map and the spread.',
      choose: 'Choose a file',
      noDiary: 'You have not agreed to a diary yet.',
      sealing: 'Sealing …',
      saved: 'Saved. Without the passphrase nobody can open it, not even you.',
      opening: 'Opening …',
      restored: 'This device has everything from the backup. Stop using the old device.',
      move: 'Move to a new device',
      moveWhy: 'One file with everything, encrypted under a passphrase.',
      passphrase: (least: number) => `Passphrase, at least ${n.number(least)} characters`,
      save: 'Save a backup',
      restore: 'Restore a backup',
      diary: 'Your diary',
      geojson: (count: number) =>
        `${positions(count)} as GeoJSON, readable by any map program, and by anybody who finds the file.`,
      saveGeojson: 'Save as GeoJSON',
      receipt: (file: string, entries: number, read: number) =>
        `<b>${file}</b>: ${n.count(entries, { one: '# entry', other: '# entries' })} = ${n.number(read)} read + ${n.number(entries - read)} left out.`,
      leftOut,
      firstAt: (count: number, reason: string, place: string) => `${n.number(count)} ${reason} (the first: ${place})`,
      left: (count: number, reason: string) => `${n.number(count)} ${reason}`,
      cutOff: 'The file was cut off. The entries before its end were read.',
      assumedUtc: (count: number) =>
        n.count(count, { one: '# time without a zone, read as UTC', other: '# times without a zone, read as UTC' }),
      unknownAccuracy: (count: number) => `${positions(count)} of unknown accuracy`,
    },
    settings: {
      title: 'Settings',
      language: 'Language',
      languageFailed: 'This language could not be loaded. Is there a network?',
      recording: 'Recording',
      recordingStates: {
        on: 'Recording. The browser gives positions while this app is open and on screen.',
        asking: 'Waiting for the first position …',
        off: 'Paused. Nothing is recorded.',
        denied: 'The browser does not allow it. Give this page the permission for your location.',
        unavailable: 'This device gives no position at the moment. The app keeps trying.',
      },
      resume: 'Resume',
      tryAgain: 'Try again',
      pause: 'Pause',
      noDiary: 'You have not agreed to a diary yet.',
      fewer: 'Save the battery: read my position less often',
      fewerWhy: (perDay: number) =>
        `A position every quarter of an hour while you keep still, and every five minutes on the way; at most ${n.number(perDay)} a day. Short meetings are found less often, and their duration is less certain.`,
      lastPosition: (place: string, accuracy: string, limit: string) =>
        `Last position <place>${place}</place>, accurate to ${accuracy}. Kept are those of at most ${limit}, one for every five minutes.`,
      home: 'Home',
      homeKnown: (nights: number, marked: number) =>
        `Known${nights > 0 ? `, learnt from ${n.count(nights, { one: '# night', other: '# nights' })}` : ''}${marked > 0 ? `, ${n.count(marked, { one: '# place', other: '# places' })} marked by you` : ''}. Nothing within 300 m of it is ever deposited.`,
      homeUnknown:
        'Not known yet. Fingerprints stay on this device until a night and a whole day are over, or until you mark your home.',
      forgetHomes: 'Forget marked homes',
      displaced: 'The hidden zone is displaced by a secret of this device, so that its centre is not your home.',
      zones: 'Zones of yours',
      zonesWhy: 'Places that stay out of everything: a doctor, a church, a friend.',
      corners: (count: number) => n.count(count, { one: '# corner', other: '# corners' }),
      around: (radius: string, place: string) => `${radius} around <place>${place}</place>`,
      remove: 'Remove',
      radius: 'Radius',
      hideHere: 'Hide where I am',
      chooseOnMap: 'Choose on the map',
      consents: 'What you agreed to',
      consent: {
        record: 'Keep a diary on this device',
        deposit: 'Deposit fingerprints with the central peer',
        report: 'Report with a code (asked each time)',
        spread: 'Let a report count one of my places on a public map, without my name',
      },
      help: 'When something is in the way',
      inaccurate: 'Positions are too inaccurate',
      inaccurateWhy: (limit: string) =>
        `Only positions of at most ${limit} are kept, because others cannot be compared. Outside, or near a window, they get better. On a phone, switch on the precise location for this browser.`,
      clock: 'The clock of this device is wrong',
      clockWhy:
        'Switch on the automatic date and time in the settings of the device. Until then the app corrects for it by the times of the federation’s peers.',
      background: 'Nothing is recorded while the app is closed',
      backgroundWhy:
        'A browser gives positions to a page only while the page is open and on screen. Keep this page open.',
      streets: 'Streets on the map',
      streetsWhy:
        'The map draws streets from a map file: a PMTiles archive with vector tiles, for example an extract of OpenStreetMap. The file stays on this device whole, so nobody learns which part of it you look at.',
      streetsChoose: 'Choose a map file',
      streetsAsk: 'Ask for the authority’s map file',
      streetsFetch: (size: string) => `Fetch it: ${size}`,
      streetsFetching: (size: string) => `Fetching: ${size} so far …`,
      streetsCopying: 'Checking and copying the file …',
      streetsKept: (size: string) => `A map file of ${size} is on this device.`,
      streetsOnce: (size: string) =>
        `A map file of ${size} is open. This browser cannot keep it, so choose it again next time.`,
      streetsDamaged: 'Parts of it cannot be read. Get the file anew.',
      streetsRemove: 'Remove the map file',
      streetsProblems: {
        unreadable: 'This is no PMTiles archive, or it is damaged. Choose another file.',
        pictures: 'The tiles of this file are pictures. Choose an archive with vector tiles (MVT).',
        full: 'The device has no room for this file. Make room, or choose a smaller extract.',
        none: 'The authority offers no map file here.',
        offline: 'The file cannot be fetched now. Try again when you are online.',
      },
      notifications: 'Notifications',
      notify: 'Notify me',
      notifying: {
        granted: 'On. A notification says that there is news, and names no place and no time.',
        denied: 'The browser does not allow notifications of this page. You can change this in its settings.',
        default: 'Off. A notification would say that there is news, and name no place and no time.',
        none: 'This browser has no notifications.',
      },
      closed:
        'When the app is closed it records nothing, syncs nothing and notifies of nothing. It catches up when you open it.',
      storage: 'Storage',
      sealed: (size: string) => `${size}, sealed under a key of this browser.`,
      persisted: 'The browser keeps it until you delete it.',
      notPersisted: 'The browser may delete it when the device runs out of room.',
      persist: 'Ask the browser to keep it',
      federation: 'Federation',
      about: (name: string, nodes: number, operators: number, days: number, limit: string) =>
        `${name}: ${n.count(nodes, { one: '# volunteer’s computer', other: '# volunteers’ computers' })} of ${n.count(operators, { one: '# operator', other: '# operators' })}. The central peer keeps deposits for ${n.count(days, { one: '# day', other: '# days' })}. Devices keep positions of at most ${limit}, slower than 108 km/h.`,
      erase: 'Erase everything',
      eraseWhy:
        'The diary, all fingerprints and warnings, here at once and at the central peer as soon as it can be reached.',
      eraseAsk: 'Erase …',
      eraseYes: 'Yes, erase everything',
      no: 'No',
      erased: 'Erased, here and at the central peer.',
      erasedHere: (why: string) => `Erased here. The central peer follows: ${why}`,
    },
    privacy: {
      title: 'Privacy',
      lead: (messages: number, bytes: string) =>
        `Everything that leaves this device passes through here. Since the app was opened: ${n.count(messages, { one: '# message', other: '# messages' })}, ${bytes}.`,
      questions: 'Eight questions',
      answers: (salting: Salting): { question: string; answer: string }[] => [
        {
          question: 'What does the authority get?',
          answer:
            salting === 'plain'
              ? 'A random number for you, and your hashes by 80 minutes, without a place. This federation uses plain salts, so one request to a volunteer within three hours opens them.'
              : 'A random number for you, and your hashes by 80 minutes, without a place. It can test chosen places, a limited number for each address, and volunteers who work together can read all.',
        },
        {
          question: 'How anonymous am I?',
          answer:
            'No name goes out, and a volunteer passes your sealed syncs on, so the central peer sees no address unless that volunteer tells it. All syncs of this device belong together. A person who knows two of your places and times can find your number.',
        },
        {
          question: 'Who learns that I am at risk?',
          answer: 'This device, and the central peer under your random number. Nobody else is told.',
        },
        {
          question: 'Can I find out who is infected?',
          answer: 'An exposure names a place and a time, and no person. If you were alone with somebody, you know.',
        },
        {
          question: 'What can others make me believe?',
          answer:
            'A false answer of a volunteer is found in the same sync. Invented hashes can warn people who met nobody, at a price for each place.',
        },
        {
          question: 'What do volunteers, the network and thieves learn?',
          answer:
            salting === 'plain'
              ? 'A volunteer learns your address and that you were somewhere in a share of the world. The network sees when you sync, in a few sizes. A thief of the database finds hashes whose salts are gone.'
              : 'A volunteer learns your address, a share of the world and blinded numbers. The network sees when you sync, in a few sizes. A thief of the database finds hashes whose keys are gone.',
        },
        {
          question: 'Are people who report protected less?',
          answer:
            'A report has the size of any sync. It starts a sync at once, the central peer knows which number reported, and testers of places learn more about people who reported.',
        },
        {
          question: 'How can I check this?',
          answer:
            'This page shows each byte that leaves. The source, its tests and the figures of all attacks are public, in PRIVACY.md.',
        },
      ],
      seen: 'What each party saw in the last sync',
      seenNothing: 'No sync yet since the app was opened.',
      seenOf: {
        nodes: (count: number) => n.count(count, { one: '# salt node', other: '# salt nodes' }),
        relay: 'The node that passed the sync on',
        member: 'One member',
        network: 'Somebody on the network',
      },
      sawEvaluations: (shards: readonly string[], from: string, to: string, elements: number) =>
        `Your internet address, shard ${n.list(shards)}, the time from ${from} to ${to}, and ${n.count(elements, { one: '# blinded number', other: '# blinded numbers' })}, padding included. No place, and no key: three answers make one.`,
      sawSalts: (shards: readonly string[], from: string, to: string, salts: number) =>
        `Your internet address, shard ${n.list(shards)}, and ${n.count(salts, { one: '# time block', other: '# time blocks' })} from ${from} to ${to}. No place.`,
      sawSealed: (bytes: string) =>
        `Your internet address, and ${bytes} that only the central peer can read. The central peer gets them without your address.`,
      sawRoster: 'Your internet address, and that you synced.',
      sawNetwork: (messages: number, bytes: string) =>
        `${n.count(messages, { one: '# encrypted message', other: '# encrypted messages' })} to these peers, ${bytes} in a few fixed sizes.`,
      next: 'What the next sync would deposit',
      nextIs: (bytes: string, rows: number) => `${bytes} for the central peer, of them ${hashes(rows)}.`,
      nextWaiting: (count: number) => `${positions(count)} more will be hashed first.`,
      nextHeld: (count: number) => `${n.count(count, { one: '# position is', other: '# positions are' })} held.`,
      left: 'What left since the app was opened',
      nothing: 'Nothing.',
      unknownPeer: 'a peer of the roster',
      saltNode: (operator: string) => `salt node of ${operator}`,
      central: (operator: string) => `central peer of ${operator}`,
      noAnswer: 'no answer',
      answer: (bytes: string) => `← ${bytes}`,
      fields: 'The message’s fields',
      field: 'Field',
      bytes: 'Bytes',
      says: 'What it says',
      dump: 'The message byte by byte',
      all: (lines: number) => `Show all ${n.number(lines)} lines`,
    },
    frames: {
      request: { name: 'request', says: 'the wish for a roster' },
      sealedVersion: { name: 'version', says: 'sealed frames of version 1' },
      oneTimeKey: { name: 'one-time key', says: 'random, new for every message' },
      sealedSync: {
        name: 'sealed sync',
        says: 'only the central peer can read it, and the node that passes it on cannot',
      },
      version: { name: 'version', says: 'frames of version 2' },
      minute: 'minute',
      filledIn: 'filled in when it is sent',
      secret: { name: 'user secret', says: 'who deposits: a random number of this device' },
      syncId: { name: 'sync id', says: 'random, so that a repetition is known as one' },
      kind: 'kind',
      kinds: {
        none: 'nothing to report',
        code: 'a report code',
        erase: 'erase everything of mine',
        withdraw: 'withdraw my report',
      },
      slip: { name: 'slip', says: 'with a report a sealed contribution to a map, else empty' },
      marks: 'marks so far',
      marksSay: (generation: number, read: number) => `generation ${generation}, ${n.number(read)} read`,
      groups: 'groups',
      epochs: (count: number) => n.count(count, { one: '# epoch', other: '# epochs' }),
      epoch: 'epoch',
      rows: (rows: number, from: string) => `${hashes(rows)} of the 80 minutes from ${from}`,
      rowsBack: (rows: number, back: number, from: string) =>
        `${hashes(rows)}, ${n.number(back)} of them to be erased, of the 80 minutes from ${from}`,
      hashes: {
        name: 'risk hashes',
        says: '12 bytes each, and one for the length of its block; nobody can read a place out of them without the salts',
      },
      padding: { name: 'padding', says: 'zeros, so that all syncs are of a few sizes' },
      suite: 'version, suite',
      plain: 'protocol 1, plain salts',
      threshold: 'protocol 1, evaluations of a threshold',
      roster: 'roster',
      rosterSays: (name: string) => `of the federation: <b>${name}</b>`,
      shard: 'shard',
      shardSays: (shard: number) => `${n.number(shard)}: one of the world’s shares, everywhere at once`,
      count: 'count',
      salts: (count: number) => n.count(count, { one: '# salt', other: '# salts' }),
      blocks: 'time blocks',
      blocksSay: (sizes: readonly string[], from: string, to: string) =>
        `of ${n.list(sizes)} minutes, from ${from} to ${to}; no place`,
      flags: 'flags, counts',
      flagsSay: (batch: number, epochs: number, wantsKeys: boolean) =>
        `${n.count(batch, { one: '# element', other: '# elements' })} for each of ${n.count(epochs, { one: '# epoch', other: '# epochs' })}${wantsKeys ? ', and the keys of all parts' : ''}`,
      epochsSay: (from: string, to: string) => `the 80 minutes of each, from ${from} to ${to}`,
      elements: {
        name: 'elements',
        says: 'cells, each multiplied by a random number, and random ones that fill the batch; nobody can tell which is which',
      },
    },
    lab: {
      title: 'Lab',
      lead: 'Ada and Ben, each with a phone. Everything below is computed here and now by the same core and the same client that your own phone runs, with a federation that lives in this page.',
      steps: (salting: Salting) => [
        'Two people',
        'Hexagons',
        'Time blocks',
        salting === 'plain' ? 'Salts' : 'Keys',
        'Risk hashes',
        'Who saw what',
        'Marks',
      ],
      meeting: 'The meeting',
      apart: 'Apart',
      benBefore: 'Ben before Ada',
      benAfter: 'Ben after Ada',
      loading: 'The core is loading …',
      back: 'Back',
      next: (step: string | undefined) => (step === undefined ? 'Next' : `Next: ${step}`),
      learnsNothing: 'When Ada reports, Ben learns nothing, because no hash of his counts.',
      notified: (closeness: string) => `When Ada reports, Ben is notified: ${closeness}`,
      plan: (shared: number) =>
        `Ada and Ben from above, ${n.count(shared, { one: '# hexagon', other: '# hexagons' })} shared`,
      peopleTitle: 'Two people, two fixes',
      people:
        'Every five minutes a phone keeps its most accurate position: latitude, longitude, time. That is a fix. It stays in the phone’s diary.',
      fixAt: (place: string, time: string) => `${place} at ${time}`,
      hexagonsTitle: 'Three hexagons each',
      hexagons:
        'A fix becomes three hexagons of 22 m, one of each layer. The layers are shifted, so that a person at the edge of one hexagon is inside another. Two people nearer than 6.5 m always share one, and two people more than 24 m apart never do.',
      layer: (layer: string) => `Layer ${layer}: `,
      shared: 'shared',
      different: 'two different ones',
      noneShared: 'Ada and Ben share no hexagon, so nothing can match.',
      someShared: (count: number, layers: readonly string[]) =>
        `Ada and Ben share ${n.count(count, { one: '# hexagon', other: '# hexagons' })}${layers.length > 0 ? ` (${n.list(layers)})` : ''}.`,
      blocksTitle: 'Ten time blocks each',
      blocks:
        'Time is cut into blocks of 5, 10, 20, 40 and 80 minutes. A fix counts in its block and in the next one, because what somebody breathed out stays a while. Above the line Ada, below it Ben; outlined is the next block.',
      blocksLabel: 'Time blocks',
      noBlock: 'Ben was in none of Ada’s blocks and in none of the blocks after hers.',
      sameBlock: (sizes: readonly string[]) => `Same block of ${n.list(sizes)} minutes.`,
      trailBlock: (sizes: readonly string[]) => `Ben came in the block after Ada’s, of ${n.list(sizes)} minutes.`,
      saltsTitle: 'Salts from volunteers',
      salts: (shards: number, asked: readonly string[]) =>
        `Each hexagon lies in a region of some 50 km, and the region’s number modulo ${n.number(shards)} names the shard: ${n.list(asked)}. The phones ask volunteers of that shard for one salt a time block. A salt says nothing of a place, lives for a few hours, and is the same for everybody who asks.`,
      saltRequest: (who: string, node: string, up: string, down: string) =>
        `${who} asks the node of <b>${node}</b>: ${up} there, ${down} back, signed and checked against the sheet.`,
      saltsTable: 'Salts',
      block: 'Block',
      saltOf: { ada: 'Ada’s salt', ben: 'Ben’s salt' },
      blockFrom: (size: string, from: string, shard: string | undefined) =>
        `${size} from ${from}${shard === undefined ? '' : `, shard ${shard}`}`,
      keysTitle: 'Keys from volunteers who do not see what for',
      keys: (threshold: number, replicas: number, shards: number, asked: readonly string[]) =>
        `Each hexagon lies in a region of some 50 km, and the region’s number modulo ${n.number(shards)} names the shard: ${n.list(asked)}. The phone needs one key for each hexagon and 80 minutes. ${n.number(threshold)} of the ${n.number(replicas)} volunteers of the shard must help, and none of them sees a hexagon or a key.`,
      blindTitle: 'One hexagon, step by step',
      blind: {
        cell: 'Ada’s hexagon of layer A',
        cellWhy: 'It stays on the phone.',
        blinded: 'Blinded',
        blindedWhy:
          'The phone turns the hexagon into a point of a curve and multiplies it by a random number. This is what the volunteers see.',
        answer: (node: string) => `Answer of ${node}`,
        answerWhy: 'The volunteer multiplies by its share of a secret, and proves that it used this share.',
        key: 'Key',
        keyWhy: (threshold: number) =>
          `The phone checks the proofs, adds the ${n.number(threshold)} answers with their weights and divides by its random number.`,
      },
      keyRequest: (who: string, node: string, elements: number, up: string, down: string) =>
        `${who} asks the node of <b>${node}</b> with ${n.count(elements, { one: '# blinded number', other: '# blinded numbers' })}: ${up} there, ${down} back, signed and proved.`,
      keysTable: 'Keys',
      hexagon: 'Hexagon',
      keyOf: { ada: 'Ada’s key', ben: 'Ben’s key' },
      hexagonFrom: (layer: string, from: string) => `Layer ${layer}, the 80 minutes from ${from}`,
      hashesTitle: 'Thirty risk hashes each',
      hashes: (salting: Salting, equal: number) =>
        `Hexagon, block and ${salting === 'plain' ? 'salt' : 'key'} go through SHA-256; twelve bytes of it are the risk hash. Where both had the same hexagon and the same block the hashes are equal: ${equal === 0 ? 'nowhere' : n.count(equal, { one: 'once', other: '# times' })}.`,
      hashesOf: (name: string) => `${name}’s risk hashes`,
      layerColumn: 'Layer',
      current: 'current',
      nextColumn: 'next',
      centreTitle: 'What each party saw',
      centre: (rows: number, twice: number, sizes: readonly string[]) =>
        `The central peer saw ${hashes(rows)} of two random names, and nothing else. It cannot tell a place from them; it can tell that ${n.count(twice, { one: '# is', other: '# are' })} there twice. The syncs are of a fixed size: ${n.list(sizes)}.`,
      nodeSaw: (salting: Salting, node: string, who: readonly string[], count: number) =>
        salting === 'plain'
          ? `The node of <b>${node}</b> saw the addresses of ${n.list(who)}, the shard and ${n.count(count, { one: '# time block', other: '# time blocks' })}.`
          : `The node of <b>${node}</b> saw the addresses of ${n.list(who)}, the shard, the 80 minutes and ${n.count(count, { one: '# blinded number', other: '# blinded numbers' })}.`,
      networkSaw: (messages: number) =>
        `Somebody on the network saw ${n.count(messages, { one: '# encrypted message', other: '# encrypted messages' })} in a few sizes.`,
      cloud: (rows: number) => `${hashes(rows)}, those that are there twice marked`,
      marksTitle: 'Ada reports, Ben learns',
      marks:
        'Ada’s code arrives with an ordinary sync. The central peer marks the hashes of others that equal hers and are not earlier. At Ben’s next sync his phone reads its marks and looks them up in its own diary, the only place that knows what they mean.',
      noMarks: 'Nothing of Ben’s is marked: they were too far apart, or he had left before she came.',
      marked: (same: number, trail: number, minutes: number, certainty: string, place: string) =>
        `${n.count(same, { one: '# mark', other: '# marks' })} of the same block, ${n.number(trail)} of the block after; within ${n.minutes(minutes)}; certainty: ${certainty}. At ${place}, which only Ben’s phone knows.`,
    },
  }
}

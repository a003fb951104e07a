/**
 * English texts of the shell, the first visit and the map, which load first. Their form is the form of every other language:
 * a text that is missing in one does not compile. A text with a value takes it as an argument; `<a>` marks a part for `Rich`.
 */
import type { Numbers } from '@geotrace/client/words'

export type First = ReturnType<typeof first>

export const first = (n: Numbers) => {
  const positions = (count: number) => n.count(count, { one: '# position', other: '# positions' })
  return {
    shell: {
      views: {
        map: 'Map',
        diary: 'Diary',
        exposures: 'Exposures',
        sync: 'Sync',
        report: 'Report',
        privacy: 'Privacy',
        lab: 'Lab',
        transfer: 'Import & export',
        settings: 'Settings',
        start: 'First steps',
        more: 'More',
      },
      nav: 'Views',
      shortNav: 'Views, short',
      skip: 'Skip to the content',
      badge: (count: number) => `${n.number(count)} new`,
      connection: {
        syncing: 'Syncing',
        offline: 'Offline',
        failed: 'Sync failed',
        notYet: 'Not synced yet',
        good: 'In sync',
      },
      opening: 'Opening the diary on this device …',
      otherTab: 'Open in another tab',
      otherTabWhy:
        'One tab at a time keeps your diary, so that nothing is sent twice. Close the other one and this tab goes on by itself.',
      cannotOpen: 'Geo Trace cannot open',
      tryAgain: 'Try again',
      loading: 'Loading …',
      notLoaded: 'This page could not be loaded. Is there a network?',
      news: 'There is news for you.',
    },
    welcome: {
      title: 'Were you near somebody who tested positive?',
      lead: 'Geo Trace tells you where and when. Your positions stay on this device.',
      promises: {
        plain:
          'What leaves it are fingerprints of places and times. This federation uses weak salts: a party that asks for all of them within three hours can find the places.',
        threshold:
          'What leaves it are fingerprints of places and times. Volunteers who work together could read them all back within a few hours. Anybody can test a few chosen places.',
      },
      steps: [
        '<b>Your phone keeps a diary</b> of places, sealed on this device. What lies near your home is left out.',
        '<b>Each place and time becomes a fingerprint</b>, made with keys of volunteers’ computers. They destroy these keys a few hours later.',
        '<b>Equal fingerprints are a meeting.</b> When somebody reports a positive test, this device learns which of its own fingerprints were at risk, and tells you.',
      ],
      record: 'Keep a diary on this device. It never leaves it.',
      deposit: 'Send fingerprints to the authority’s computer every hour, so that meetings can be found.',
      start: 'Start',
      revocable: (federation: string) =>
        `Both can be withdrawn in the settings, and everything erased, here and at the central peer. Federation: ${federation}.`,
      demo: 'A demo on this machine, with published keys.',
      lab: 'See in the lab how it works',
    },
    compared: {
      none: 'None of your hours can be compared with those of others yet.',
      some: (span: string) => `${span} of the last days can be compared with those of others.`,
    },
    status: {
      title: 'Status',
      unknown: 'The status of this device is not known yet.',
      offline: 'There is no network. The app goes on recording.',
      less: 'Less',
      more: (count: number) => `${n.number(count)} more`,
    },
    map: {
      title: 'Map',
      canvas: 'Map of your positions',
      help: (fixes: number, exposures: number) =>
        `${positions(fixes)} and ${n.count(exposures, { one: '# exposure', other: '# exposures' })} of this device. Arrow keys move, plus and minus zoom, Enter looks at the middle. The diary lists the same as a table.`,
      nearer: 'Nearer',
      farther: 'Farther',
      here: 'Where I am',
      fit: 'All my positions',
      shows: 'What the map shows',
      matching: 'How matching works',
      spread: 'Spread',
      addStreets: 'Add streets',
      allDays: 'All days',
      day: 'Day',
      undo: 'Undo',
      hiddenHome: 'hidden near home',
      tapHomeNear: 'Tap near your home to come closer.',
      tapPlaceNear: 'Tap near the place to come closer.',
      tapStay: 'Tap where you were.',
      tapHome: 'Tap where your home is.',
      tapZone: 'Tap the place to hide.',
    },
    /** Names of layers. Those of the lab appear with the switch "How matching works" only. */
    layers: {
      streets: 'Streets',
      fixes: 'My positions',
      A: 'Layer A',
      B: 'Layer B',
      C: 'Layer C',
      regions: 'Regions',
      hidden: 'Hidden',
    },
    /** The lab's view of a place on the map. */
    lab: {
      shard: (shard: number) => `shard ${shard}`,
      region: (region: number) => `region ${region}`,
      regionTitle: (region: number) => `Region ${region}`,
      shardOf: (shard: number, shards: number) => `shard ${shard} of ${shards}`,
    },
  }
}

/** German texts of the shell, the first visit and the map. */
import type { Numbers } from '@geotrace/client/words'
import { german } from '@geotrace/client/words/de'
import type { First } from './en.ts'
import type { Language } from './language.ts'

const first = (n: Numbers): First => {
  const positions = (count: number) => n.count(count, { one: '# Position', other: '# Positionen' })
  return {
    shell: {
      views: {
        map: 'Karte',
        diary: 'Tagebuch',
        // The hyphen shows only where the bar of a phone is too narrow.
        exposures: 'Begeg\u00adnungen',
        sync: 'Abgleich',
        report: 'Melden',
        privacy: 'Datenschutz',
        lab: 'Labor',
        transfer: 'Import & Export',
        settings: 'Einstellungen',
        start: 'Erste Schritte',
        more: 'Mehr',
      },
      nav: 'Ansichten',
      shortNav: 'Ansichten, kurz',
      skip: 'Zum Inhalt',
      badge: (count) => `${n.number(count)} neu`,
      connection: {
        syncing: 'Abgleich läuft',
        offline: 'Kein Netz',
        failed: 'Abgleich fehlgeschlagen',
        notYet: 'Noch nicht abgeglichen',
        good: 'Abgeglichen',
      },
      opening: 'Das Tagebuch auf diesem Gerät wird geöffnet …',
      otherTab: 'In einem anderen Tab offen',
      otherTabWhy:
        'Nur ein Tab führt Ihr Tagebuch, damit nichts doppelt gesendet wird. Schließen Sie den anderen, dann geht es hier von selbst weiter.',
      cannotOpen: 'Geo Trace lässt sich nicht öffnen',
      tryAgain: 'Erneut versuchen',
      loading: 'Wird geladen …',
      notLoaded: 'Diese Seite ließ sich nicht laden. Gibt es ein Netz?',
      news: 'Es gibt Neues für Sie.',
    },
    welcome: {
      title: 'Waren Sie in der Nähe einer positiv getesteten Person?',
      lead: 'Geo Trace sagt Ihnen, wo und wann. Ihre Positionen bleiben auf diesem Gerät.',
      promises: {
        plain:
          'Was es verlässt, sind Fingerabdrücke von Orten und Zeiten. Dieser Verbund nutzt schwache Schlüssel: Wer sie binnen drei Stunden alle abfragt, kann die Orte finden.',
        threshold:
          'Was es verlässt, sind Fingerabdrücke von Orten und Zeiten. Freiwillige, die sich absprechen, könnten sie einige Stunden lang alle zurücklesen. Jeder kann wenige ausgewählte Orte prüfen.',
      },
      steps: [
        '<b>Ihr Telefon führt ein Tagebuch</b> der Orte, versiegelt auf diesem Gerät. Was nahe an Ihrem Zuhause liegt, bleibt außen vor.',
        '<b>Aus jedem Ort und jeder Zeit wird ein Fingerabdruck</b>, gemacht mit Schlüsseln von Computern Freiwilliger. Einige Stunden später vernichten sie diese Schlüssel.',
        '<b>Gleiche Fingerabdrücke sind eine Begegnung.</b> Meldet jemand einen positiven Test, so erfährt dieses Gerät, welche seiner eigenen Fingerabdrücke betroffen waren, und sagt es Ihnen.',
      ],
      record: 'Ein Tagebuch auf diesem Gerät führen. Es verlässt das Gerät nie.',
      deposit: 'Jede Stunde Fingerabdrücke an den Computer der Behörde senden, damit Begegnungen gefunden werden.',
      start: 'Beginnen',
      revocable: (federation) =>
        `Beides lässt sich in den Einstellungen zurücknehmen, und alles löschen, hier und bei der Zentrale. Verbund: ${federation}.`,
      demo: 'Eine Vorführung auf diesem Rechner, mit veröffentlichten Schlüsseln.',
      lab: 'Im Labor sehen, wie es funktioniert',
    },
    compared: {
      none: 'Noch lässt sich keine Ihrer Stunden mit denen anderer vergleichen.',
      some: (span) => `${span} der letzten Tage lassen sich mit denen anderer vergleichen.`,
    },
    status: {
      title: 'Status',
      unknown: 'Der Status dieses Geräts ist noch nicht bekannt.',
      offline: 'Es gibt kein Netz. Die App zeichnet weiter auf.',
      less: 'Weniger',
      more: (count) => `${n.number(count)} weitere`,
    },
    map: {
      title: 'Karte',
      canvas: 'Karte Ihrer Positionen',
      help: (fixes, exposures) =>
        `${positions(fixes)} und ${n.count(exposures, { one: '# Begegnung', other: '# Begegnungen' })} dieses Geräts. Pfeiltasten bewegen, Plus und Minus zoomen, die Eingabetaste öffnet den Ort in der Mitte. Das Tagebuch zeigt dasselbe als Liste.`,
      nearer: 'Vergrößern',
      farther: 'Verkleinern',
      here: 'Wo ich bin',
      fit: 'Alle meine Positionen',
      shows: 'Was die Karte zeigt',
      spread: 'Verbreitung',
      matching: 'So wird verglichen',
      addStreets: 'Straßen hinzufügen',
      allDays: 'Alle Tage',
      day: 'Tag',
      undo: 'Rückgängig',
      hiddenHome: 'verborgen um Ihr Zuhause',
      tapHomeNear: 'Tippen Sie in die Nähe Ihres Zuhauses, um die Karte zu vergrößern.',
      tapPlaceNear: 'Tippen Sie in die Nähe des Ortes, um die Karte zu vergrößern.',
      tapStay: 'Tippen Sie an, wo Sie waren.',
      tapHome: 'Tippen Sie an, wo Ihr Zuhause ist.',
      tapZone: 'Tippen Sie den Ort an, der verborgen sein soll.',
    },
    layers: {
      streets: 'Straßen',
      fixes: 'Meine Positionen',
      A: 'Ebene A',
      B: 'Ebene B',
      C: 'Ebene C',
      regions: 'Regionen',
      hidden: 'Verborgen',
    },
    lab: {
      shard: (shard) => `Anteil ${shard}`,
      region: (region) => `Region ${region}`,
      regionTitle: (region) => `Region ${region}`,
      shardOf: (shard, shards) => `Anteil ${shard} von ${shards}`,
    },
  }
}

export const de: Language = { locale: 'de', dir: 'ltr', words: german, first }

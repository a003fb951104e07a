/** German texts of the views that load when they are shown. */
import type { Numbers } from '@geotrace/client/words'
import type { Later } from './en-later.ts'

export const later = (n: Numbers): Later => {
  const positions = (count: number) => n.count(count, { one: '# Position', other: '# Positionen' })
  const exposures = (count: number) => n.count(count, { one: '# Begegnung', other: '# Begegnungen' })
  const hashes = (count: number) => n.count(count, { one: '# Hash', other: '# Hashes' })
  return {
    steps: {
      title: 'Drei Dinge, dann sind Sie bereit',
      toMap: 'Zur Karte',
      location: '1. Ihr Standort',
      allowed: 'Der Browser gibt dieser Seite Ihren Standort. Er bleibt auf diesem Gerät.',
      denied:
        'Der Browser gibt dieser Seite Ihren Standort nicht. Erlauben Sie ihn in den Browser-Einstellungen für diese Seite und versuchen Sie es noch einmal.',
      notAsked: 'Der Browser fragt Sie einmal. Ohne Ihren Standort lässt sich nichts vergleichen.',
      allow: 'Standort erlauben',
      home: '2. Wo schlafen Sie?',
      homeKnown: 'Ihr Zuhause ist bekannt. Im Umkreis von 300 m wird nie etwas gesendet.',
      homeUnknown:
        'Im Umkreis von 300 m um Ihr Zuhause wird nie etwas gesendet. Bis es bekannt ist, wartet alles auf diesem Gerät.',
      open: '3. Diese Seite offen lassen',
      openWhy:
        'Ein Browser gibt Positionen nur, solange diese Seite offen und sichtbar ist. Stunden, in denen sie geschlossen ist, lassen sich nicht vergleichen, und der Status sagt es.',
    },
    home: { here: 'Ich bin jetzt zu Hause', onMap: 'Auf der Karte markieren' },
    town: {
      title: 'In der Stadt der Vorführung leben',
      lead: 'Dies ist eine Vorführung: Übernehmen Sie die letzten Stunden einer Person, die im selben Café saß wie Ada vor ihrer Meldung, samt deren Zuhause, und sehen Sie, was geschieht.',
      take: 'Diese Stunden übernehmen',
      agreeFirst: 'Stimmen Sie erst dem Tagebuch und dem Senden zu.',
      syncing: 'Abgleich läuft …',
      failed: 'Der Abgleich ist fehlgeschlagen; die App versucht es wieder.',
      synced: 'Abgeglichen: Sehen Sie die Karte und die Begegnungen an.',
      see: 'Die Begegnung ansehen',
    },
    recorded: (taken, refused) =>
      `${positions(taken)} übernommen${refused.length > 0 ? `; ausgelassen: ${n.list(refused)}` : ''}.`,
    refused: (count, reason) => `${n.number(count)} ${reason}`,
    keptAsHistory: (count) =>
      `${positions(count)} älter als drei Stunden: 14 Tage lang für Zuhause, Karte und Verbreitung aufbewahrt, nie verglichen.`,
    spot: {
      title: 'Dieser Ort',
      close: 'Schließen',
      see: 'Diese Begegnung ansehen',
      yours: (why) => `Ihre Position: ${why}.`,
      homeHere: 'Mein Zuhause ist hier',
      hide: (radius) => `${radius} hier verbergen`,
      hidden: (radius) => `${radius} um diesen Ort sind verborgen.`,
      homeNow: 'Das ist jetzt Ihr Zuhause. Was darauf gewartet hat, kann nun gesendet werden.',
      preview:
        'Aus der grauen Zone auf der Karte wird nie etwas gesendet. Sie ist größer als Ihr Zuhause, und es liegt nicht in ihrer Mitte.',
      far: (distance) =>
        `Das ist ${distance} von den Orten entfernt, an denen dieses Gerät die Nächte verbracht hat. Ein falsches Zuhause gibt Ihr wirkliches preis.`,
      yes: 'Ja, diese Zone verbergen',
      no: 'Nein',
    },
    stay: {
      lead: 'Sie waren hier, und dieses Gerät hatte keine Position. Nur die letzten drei Stunden lassen sich vergleichen.',
      from: 'Von',
      until: 'bis',
      add: 'Ich war hier',
      diary: 'Das Tagebuch ansehen',
    },
    diary: {
      title: 'Tagebuch',
      days: 'Tage',
      recorded: (day, hours) => `${day}: ${hours} aufgezeichnet`,
      recordedAndMet: (day, hours, met) => `${day}: ${hours} aufgezeichnet, ${exposures(met)}`,
      deleted: (count) =>
        `${positions(count)} gelöscht. Der nächste Abgleich nimmt die Fingerabdrücke bei der Zentrale zurück.`,
      nothing: 'Keine Positionen an diesem Tag.',
      summary: (stays, fixes) =>
        `${n.count(stays, { one: '# Aufenthalt', other: '# Aufenthalte' })}, ${positions(fixes)}, nur auf diesem Gerät.`,
      addByHand: 'Einen Ort von Hand hinzufügen',
      deleteDay: 'Diesen Tag löschen',
      strip: (fixes, possible) => `${positions(fixes)} von ${n.number(possible)} möglichen`,
      gaps: {
        paused: { title: 'Pausiert', why: 'Sie hatten die Aufzeichnung angehalten.' },
        denied: { title: 'Kein Standort', why: 'Der Browser gab dieser Seite Ihren Standort nicht.' },
        unavailable: { title: 'Kein Standort', why: 'Dieses Gerät konnte seine Position nicht finden.' },
        inaccurate: { title: 'Zu ungenau', why: 'Es kamen nur Positionen, die zu ungenau waren.' },
        home: {
          title: 'Nahe am Zuhause',
          why: 'Positionen nahe am Zuhause bleiben außen vor. Nur dieser Grund wurde behalten.',
        },
        night: {
          title: 'Nacht zu Hause',
          why: 'Positionen nahe am Zuhause bleiben außen vor. Nur dieser Grund wurde behalten.',
        },
        zone: {
          title: 'In einer verborgenen Zone',
          why: 'Sie haben diese Zone verborgen. Nur dieser Grund wurde behalten.',
        },
        speed: { title: 'In Fahrt', why: 'Positionen bei mehr als 108 km/h bleiben außen vor.' },
        none: {
          title: 'Nichts aufgezeichnet',
          why: 'Es kam keine Position. Die Seite war geschlossen, oder Sie haben diese Zeit gelöscht.',
        },
        before: { title: 'Vor dem Tagebuch', why: 'Das Tagebuch beginnt später.' },
      },
      way: 'Unterwegs',
      noName: 'Ein Ort ohne Namen',
      map: 'Karte',
      name: 'Benennen',
      rename: 'Umbenennen',
      positions,
      delete: 'Löschen',
      nameOf: 'Name dieses Ortes',
      nameExample: 'Café, Arbeit, Sport …',
      save: 'Speichern',
      ask: {
        stay: { title: 'Diesen Aufenthalt löschen', yes: 'Ja, diesen Aufenthalt löschen' },
        way: { title: 'Diesen Weg löschen', yes: 'Ja, diesen Weg löschen' },
        day: { title: 'Diesen Tag löschen', yes: 'Ja, diesen Tag löschen' },
      },
      askWhy:
        'Gelöscht wird hier und bei der Zentrale. Das lässt sich nicht rückgängig machen, und für diese Zeit werden Sie nicht gewarnt.',
      keep: 'Behalten',
      table: 'Positionen',
      time: 'Zeit',
      place: 'Ort',
      accuracy: 'Genauigkeit',
      state: 'Stand',
      deletePosition: (time) => `Die Position von ${time} löschen`,
    },
    exposures: {
      title: 'Begegnungen',
      said: {
        new: 'Die Begegnung ist wieder offen.',
        confirmed: 'Sie haben angegeben, dass Sie dort waren.',
        dismissed: 'Sie haben angegeben, dass Sie nicht dort waren. Die Begegnung zählt nicht mehr.',
        archived: 'Die Begegnung ist abgelegt.',
      },
      undo: 'Rückgängig',
      open: (count) => `Offen (${n.number(count)})`,
      away: (count) => `Abgelegt (${n.number(count)})`,
      unknown: 'Noch ist nichts bekannt',
      unknownWhy:
        'Keine Ihrer Stunden wurde mit denen anderer verglichen. Deshalb kann dieses Gerät nicht sagen, ob Sie in der Nähe einer positiv getesteten Person waren.',
      none: 'Keine Begegnung bekannt',
      noneWhy: (span, since) =>
        `In ${span}, die sich vergleichen ließen, war keiner Ihrer Fingerabdrücke betroffen; Stand des Abgleichs ${since}. Andere Stunden sind nicht bekannt.`,
      days: 'Verglichene Stunden je Tag',
      day: (day, hours) => `${day}: ${hours}`,
      seeOnMap: 'Auf der Karte ansehen',
      details: 'Einzelheiten',
      detail: (place, matches, layers) =>
        `<place>${place}</place>, ${n.count(matches, { one: '# gleicher Fingerabdruck', other: '# gleiche Fingerabdrücke' })}, bestenfalls in ${n.number(layers)} von 3 Gittern.`,
      writtenBy: (authority) => `Geschrieben von: ${authority}.`,
      wasThere: 'Ich war dort',
      notMe: 'Ich war nicht dort',
      putAway: 'Ablegen',
      bringBack: 'Zurückholen',
      map: 'Karte dieses Ortes',
      you: 'Sie',
      they: 'Die andere Person, irgendwann in',
      share: 'Teilen oder drucken',
      shareWhy: 'Dieser Text, und sonst nichts, geht dorthin, wohin Sie ihn senden:',
      withPlace: 'Mit dem Ort',
      send: 'Teilen',
      copy: 'Kopieren',
      print: 'Drucken',
      close: 'Schließen',
      copied: 'Kopiert.',
      notCopied: 'Der Browser hat den Text nicht kopiert.',
      shared: ({ day, from, to, isDirect, certainty, place }) =>
        `Geo Trace: Am ${day} von ${from} bis ${to} war ich in der Nähe ${isDirect ? 'einer Person, die später einen positiven Test meldete' : 'einer Kontaktperson einer positiv getesteten Person'}. Sicherheit: ${certainty.toLowerCase()}.${place === undefined ? '' : ` Ort: ${place}.`}`,
    },
    sync: {
      title: 'Abgleich',
      lead: 'Einmal in der Stunde bittet dieses Gerät Freiwillige um Schlüssel, macht aus dem Tagebuch Fingerabdrücke, hinterlegt sie und liest, was zurückkommt. Das sieht immer gleich aus, ob es etwas zu sagen gibt oder nicht.',
      notAgreed: 'Sie haben dem Senden nicht zugestimmt. <a>Das lässt sich in den Einstellungen ändern.</a>',
      label: 'Dieser Abgleich',
      running: 'Abgleich läuft …',
      now: 'Jetzt abgleichen',
      notYet: 'Noch nicht, seit die App offen ist',
      last: (when) => `Zuletzt ${when}`,
      next: (when) => `Nächster ${when}`,
      nextNow: 'Nächster jetzt',
      noNetwork: 'Es gibt kein Netz. Die App versucht es von selbst wieder; drei Stunden lang geht nichts verloren.',
      progress: 'Fortschritt des Abgleichs',
      phases: {
        rosters: 'Die Liste der Rechner des Verbunds',
        salts: 'Schlüssel von Freiwilligen',
        hashes: 'Fingerabdrücke auf diesem Gerät',
        deposit: 'Hinterlegen und Antwort',
      },
      done: (done, of) => ` (${n.number(done)} von ${n.number(of)})`,
      here: 'Auf diesem Gerät',
      waiting: 'Warten auf Schlüssel',
      held: 'Warten, bis das Zuhause bekannt ist',
      ready: 'Bereit zum Hinterlegen',
      deposited: 'Bisher hinterlegt',
      lost: 'Nicht vergleichbar',
      rowsLost: 'Abgelehnt oder zu spät',
      oldest: (when) => `Die älteste geht ${when} verloren, wenn vorher kein Abgleich beginnt.`,
      oldestNow: 'Die älteste geht jetzt verloren, wenn kein Abgleich beginnt.',
      heldWhy:
        'Fingerabdrücke entstehen rechtzeitig, bleiben aber hier, solange Ihr Zuhause unbekannt ist. <a>Markieren Sie Ihr Zuhause</a>, dann dürfen sie hinaus.',
      positions: 'Positionen',
      prints: 'Fingerabdrücke',
      result: 'Was der letzte Abgleich tat',
      hashed: 'Zu Fingerabdrücken gemacht',
      points: (count) => n.count(count, { one: '# Fingerabdruck', other: '# Fingerabdrücke' }),
      salts: 'Schlüssel',
      asked: 'erfragt',
      reused: (reused, requests) =>
        `${n.number(reused)} wiederverwendet, ${n.count(requests, { one: '# Anfrage', other: '# Anfragen' })}`,
      sentRows: 'Hinterlegt',
      batches: (count) => n.count(count, { one: '# Paket', other: '# Pakete' }),
      marks: 'Neu betroffen',
      sent: 'Gesendet',
      received: (bytes) => `empfangen ${bytes}`,
      clock: 'Uhr',
      notAsked: 'nicht gefragt',
      clockOff: 'neben der Uhr der Freiwilligen',
      fixesLost: 'Verloren, älter als drei Stunden',
      deferred: 'Niemand hat geantwortet',
      wait: 'Positionen warten',
      dropped: 'Weggelassen, am Zuhause oder in einer Zone',
      refused: 'Abgelehnt',
      lied: 'Freiwillige mit nachweislich falscher Antwort',
      volunteers: 'Freiwillige',
      lostToRoster: 'An eine andere Liste verloren',
      contradicted: 'Die Behörde widersprach sich',
      times: 'Mal',
      spent: (keys, hashing, deposit) =>
        `Die Schlüssel brauchten ${keys}, die Fingerabdrücke ${hashing}, das Hinterlegen ${deposit}.`,
    },
    report: {
      title: 'Einen positiven Test melden',
      lead: 'Mit dem Code, den Ihnen das Gesundheitsamt gegeben hat. Wer in Ihrer Nähe war, erfährt, wo und wann die Begegnung war, aber nicht mit wem.',
      code: 'Meldecode',
      codeHelp: 'Sechzehn Buchstaben und Ziffern. O gilt als 0 und I als 1.',
      agree:
        'Ich stimme zu, dass die Fingerabdrücke der letzten Tage mit denen anderer verglichen werden. Sie gehen mit einer Zufallszahl dieses Geräts hinaus, ohne Ort und ohne Namen.',
      reporting: 'Meldung läuft …',
      waiting: 'Wartet …',
      report: 'Melden',
      needsDeposit: 'Zum Melden müssen Sie in den Einstellungen dem Senden zustimmen.',
      keepCode: 'Behalten Sie den Code. Er lässt sich nutzen, sobald mindestens eine Stunde andere warnen kann.',
      rhythm:
        'Eine Meldung ist so groß wie jeder andere Abgleich und geht an dieselben Rechner. Sie geht sofort, also sieht, wer dieses Netz beobachtet, einen Abgleich außer der Reihe.',
      accepted: 'Gemeldet. Die Zentrale hat den Code angenommen.',
      held: 'Gemeldet. Die Behörde prüft die Meldung, bevor andere gewarnt werden.',
      updated: 'Mit diesem Code haben Sie schon gemeldet. Die Meldung wurde aktualisiert.',
      noAnswer: 'Die Zentrale hat zu dem Code nichts geantwortet. Der nächste Abgleich fragt wieder.',
      kept: 'Die Zentrale ist nicht erreichbar. Ihre Meldung wartet auf diesem Gerät und geht mit dem nächsten Abgleich.',
      unknown: 'Noch ist nicht bekannt, welche Stunden andere warnen können.',
      noReach: 'Noch kann keine Stunde andere warnen',
      reach: (span) => `${span} können andere warnen`,
      noReachWhy: 'Die Zentrale hat keinen Fingerabdruck dieses Geräts, also würde niemand von Ihrer Meldung erfahren.',
      reachWhy: 'Alle, die in diesen Stunden oder kurz danach in Ihrer Nähe waren, erfahren es beim nächsten Abgleich.',
      heldMore: (count) =>
        `${n.count(count, { one: '# weitere Position wartet', other: '# weitere Positionen warten' })}, bis Ihr Zuhause bekannt ist. <a>Markieren Sie es jetzt</a> und gleichen Sie dann ab, damit auch diese Stunden andere warnen.`,
      stopCamera: 'Kamera ausschalten',
      scan: 'QR-Code scannen',
      camera: 'Was die Kamera sieht',
      cameraDenied:
        'Diese Seite darf die Kamera nicht nutzen; die Einstellungen Ihres Browsers können das ändern. Bitte tippen Sie den Code.',
      noCamera: 'Dieses Gerät hat keine Kamera. Bitte tippen Sie den Code.',
      cameraFailed: 'Die Kamera lässt sich nicht nutzen. Bitte tippen Sie den Code.',
    },
    ownReport: {
      title: (day) => `Sie haben am ${day} gemeldet`,
      stages: {
        accepted: 'Die Zentrale hat Ihre Meldung. Wer in Ihrer Nähe war, erfährt es beim nächsten Abgleich.',
        held: 'Die Behörde prüft Ihre Meldung, bevor andere gewarnt werden.',
        published: 'Wer in Ihrer Nähe war, wird beim nächsten Abgleich gewarnt.',
        updated: 'Sie haben Ihre Meldung geändert. Wer in Ihrer Nähe war, erfährt es beim nächsten Abgleich.',
        withdrawn: 'Sie haben diese Meldung zurückgenommen.',
        ended: 'Diese Meldung zählt nicht mehr: Ihr Zeitraum ist vorbei, oder die Behörde hat sie zurückgenommen.',
      },
      takeBack: 'Die Meldung zurücknehmen',
      takeBackWhy:
        'Nach einem Irrtum oder einem negativen Test enden alle Warnungen aus dieser Meldung. Sind Sie genesen, so bleiben sie, und neue kommen nicht hinzu.',
      reasons: {
        withdrawn: 'Es war ein Irrtum',
        negative: 'Ein späterer Test war negativ',
        recovered: 'Ich bin genesen',
      },
      withdrawn: 'Zurückgenommen.',
      kept: 'Die Zentrale ist nicht erreichbar. Sie erfährt es mit dem nächsten Abgleich.',
    },
    spread: {
      title: 'Wo Gemeldete waren',
      close: 'Schließen',
      loading: 'Mitglieder des Verbunds werden gefragt …',
      none: 'Dieser Verbund zählt keine Orte.',
      notYet: 'Es ist noch nichts veröffentlicht.',
      firstEnds: (day) =>
        `Es ist noch nichts veröffentlicht. Der laufende Zeitraum endet am ${day} und wird dann gezählt.`,
      summary: (people, cells, area) =>
        `${n.count(people, { one: '# Person', other: '# Personen' })} in ${n.count(cells, { one: '# Zelle', other: '# Zellen' })} von ${area} km².`,
      empty: (threshold) => `Keine Zelle ist gefärbt: Jede hat höchstens ${threshold} Personen.`,
      legend: (sd) => `Personen je Zelle, ±${sd}`,
      from: (least) => `${least} und mehr`,
      rest: (threshold) =>
        `Ungefärbt: höchstens ${threshold}. Blasser: länger her, nach 14 Tagen fort. Kreise: Gruppen von Zellen, aus der Ferne.`,
      show: 'Diese Orte zeigen',
      how: 'Wie gezählt wurde',
      howCounted: (of) => [
        'Das Gerät jedes Gemeldeten hat einen Ort seiner letzten 14 Tage gezogen und zweimal versiegelt. Er zählt einmal, und niemand weiß, wem er gehört.',
        `${of.mixer}, freiwillig, hat die versiegelten Orte gemischt und Rauschen hinzugefügt. ${of.teller}, ebenfalls freiwillig, hat sie geöffnet, gezählt, eigenes Rauschen hinzugefügt und unterschrieben. Dieses Gerät hat die Unterschrift geprüft.`,
        `Das Rauschen verbirgt jede einzelne Person (ε = ${of.epsilon}, zweimal). Darum weicht eine Zahl um ±${of.sd} ab (Standardabweichung). Die genauen Zahlen gibt es nirgends.`,
        `Ein Zeitraum hat ${n.count(of.days, { one: '# Tag', other: '# Tage' })} in UTC. Weniger als ${n.number(of.minimum)} Meldungen werden nicht gezählt.`,
        'Wer meldet, muss nicht teilnehmen und kann lügen. Darum ist eine Zelle ohne Farbe nicht sicher und eine gefärbte jetzt nicht gefährlich.',
      ],
      table: 'Als Tabelle',
      place: 'Mitte der Zelle',
      people: 'Personen',
      moreRows: (count) => `und ${n.count(count, { one: '# weitere Zelle', other: '# weitere Zellen' })}`,
      older: (periods) => `Auch gezeigt, blasser: ${n.list(periods)}.`,
      missing: (days, minimum) =>
        `${days}: keine Zahlen. Weniger als ${minimum} nahmen teil, oder es wird noch gezählt.`,
      refused: 'Die Zahlen eines Mitglieds wurden abgewiesen: Es sind nicht die, die der Verbund veröffentlicht hat.',
    },
    tokens: {
      title: 'Marken',
      why: 'Eine Marke öffnet für einen Tag ein eigenes Kontingent dieses Geräts bei einem Freiwilligen. Er sieht, dass ein angemeldetes Gerät sie hat, aber nicht welches.',
      notEnrolled: 'Dieses Gerät ist nicht angemeldet. Es teilt das Kontingent seines Netzes mit allen Geräten dort.',
      enrolled: (today: number, tomorrow: number) =>
        `Angemeldet. Marken für heute: ${n.number(today)}, für morgen: ${n.number(tomorrow)}.`,
      next: (when: string) => `Die nächsten Marken kommen ${when}, wenn die App dann offen ist.`,
      soon: 'Die nächsten Marken kommen in der nächsten halben Stunde, wenn die App offen bleibt.',
      code: 'Anmeldecode',
      enrol: 'Gerät anmelden',
      enrolling: 'Wird angemeldet …',
      refused: 'Die Behörde gibt diesem Gerät keine Marken. Bitten Sie um einen neuen Anmeldecode.',
      again:
        'Der Verbund hat nicht geantwortet. Der Code gilt weiter: Bitte versuchen Sie es in einer Minute noch einmal.',
    },
    transfer: {
      title: 'Import & Export',
      reading: (done, of) => `Wird gelesen: ${done} von ${of}`,
      taking: (done, of) => `Wird übernommen: ${n.number(done)} von ${n.number(of)}`,
      noFix: 'Die Datei hat keine Position der letzten 28 Tage.',
      tracks: 'Aufzeichnungen anderer Apps',
      formats:
        'GPX, KML, TCX, FIT, GeoJSON mit Zeiten, CSV, Geolife und Googles Standortverlauf (<file>Records.json</file>, <file>Timeline.json</file>). Die Datei bleibt hier.',
      window:
        'Vorab: Nur die letzten drei Stunden lassen sich noch vergleichen, denn die Schlüssel älterer Stunden gibt es nicht mehr. Ältere Positionen bleiben 14 Tage auf diesem Gerät, für Ihr Zuhause, Ihre Karte und die Verbreitung.',
      choose: 'Eine Datei wählen',
      noDiary: 'Sie haben noch keinem Tagebuch zugestimmt.',
      sealing: 'Wird versiegelt …',
      saved: 'Gespeichert. Ohne das Passwort kann niemand die Datei öffnen, auch Sie nicht.',
      opening: 'Wird geöffnet …',
      restored: 'Dieses Gerät hat alles aus der Sicherung. Nutzen Sie das alte Gerät nicht mehr.',
      move: 'Auf ein neues Gerät umziehen',
      moveWhy: 'Eine Datei mit allem, verschlüsselt mit einem Passwort.',
      passphrase: (least) => `Passwort, mindestens ${n.number(least)} Zeichen`,
      save: 'Sicherung speichern',
      restore: 'Sicherung einspielen',
      diary: 'Ihr Tagebuch',
      geojson: (count) =>
        `${positions(count)} als GeoJSON, lesbar für jedes Kartenprogramm und für alle, die die Datei finden.`,
      saveGeojson: 'Als GeoJSON speichern',
      receipt: (file, entries, read) =>
        `<b>${file}</b>: ${n.count(entries, { one: '# Eintrag', other: '# Einträge' })} = ${n.number(read)} gelesen + ${n.number(entries - read)} ausgelassen.`,
      leftOut: {
        'no-fix': 'ohne gemessene Position, etwa Besuche und WLAN-Suchen',
        'no-time': 'ohne Zeit',
        'no-position': 'ohne Position',
        'position-zero': 'bei 0, 0, wo Empfänger vor ihrer ersten Position sind',
        'position-unreadable': 'mit unlesbarer Position',
        'position-impossible': 'mit unmöglicher Position',
        'time-unreadable': 'mit unlesbarer Zeit',
        'time-impossible': 'mit unmöglicher Zeit',
        'time-ambiguous': 'mit zwei verschiedenen Zeiten',
        'accuracy-unreadable': 'mit unlesbarer Genauigkeit',
        malformed: 'beschädigt',
        'too-old': 'älter als 28 Tage',
      },
      firstAt: (count, reason, place) => `${n.number(count)} ${reason} (zuerst: ${place})`,
      left: (count, reason) => `${n.number(count)} ${reason}`,
      cutOff: 'Die Datei war abgeschnitten. Die Einträge vor ihrem Ende wurden gelesen.',
      assumedUtc: (count) =>
        n.count(count, { one: '# Zeit ohne Zone, als UTC gelesen', other: '# Zeiten ohne Zone, als UTC gelesen' }),
      unknownAccuracy: (count) => `${positions(count)} von unbekannter Genauigkeit`,
    },
    settings: {
      title: 'Einstellungen',
      language: 'Sprache',
      languageFailed: 'Diese Sprache ließ sich nicht laden. Gibt es ein Netz?',
      recording: 'Aufzeichnung',
      recordingStates: {
        on: 'Zeichnet auf. Der Browser gibt Positionen, solange diese App offen und sichtbar ist.',
        asking: 'Wartet auf die erste Position …',
        off: 'Pausiert. Nichts wird aufgezeichnet.',
        denied: 'Der Browser erlaubt es nicht. Geben Sie dieser Seite die Erlaubnis für Ihren Standort.',
        unavailable: 'Dieses Gerät gibt zurzeit keine Position. Die App versucht es weiter.',
      },
      resume: 'Fortsetzen',
      tryAgain: 'Erneut versuchen',
      pause: 'Anhalten',
      noDiary: 'Sie haben noch keinem Tagebuch zugestimmt.',
      fewer: 'Akku schonen: meine Position seltener bestimmen',
      fewerWhy: (perDay) =>
        `Eine Position je Viertelstunde, solange Sie an einem Ort sind, und alle fünf Minuten, wenn Sie unterwegs sind; höchstens ${n.number(perDay)} am Tag. Kurze Begegnungen werden seltener gefunden, und ihre Dauer ist weniger sicher.`,
      lastPosition: (place, accuracy, limit) =>
        `Letzte Position <place>${place}</place>, auf ${accuracy} genau. Behalten werden solche auf höchstens ${limit} genau, eine für je fünf Minuten.`,
      home: 'Zuhause',
      homeKnown: (nights, marked) =>
        `Bekannt${nights > 0 ? `, aus ${n.count(nights, { one: '# Nacht', other: '# Nächten' })} gelernt` : ''}${marked > 0 ? `, ${n.count(marked, { one: '# Ort', other: '# Orte' })} von Ihnen markiert` : ''}. Im Umkreis von 300 m wird nie etwas hinterlegt.`,
      homeUnknown:
        'Noch nicht bekannt. Fingerabdrücke bleiben auf diesem Gerät, bis eine Nacht und ein ganzer Tag vorbei sind oder Sie Ihr Zuhause markieren.',
      forgetHomes: 'Markiertes Zuhause vergessen',
      displaced: 'Ein Geheimnis dieses Geräts verschiebt die verborgene Zone, damit ihre Mitte nicht Ihr Zuhause ist.',
      zones: 'Ihre Zonen',
      zonesWhy: 'Orte, die aus allem herausbleiben: Praxis, Kirche, Freunde.',
      corners: (count) => n.count(count, { one: '# Ecke', other: '# Ecken' }),
      around: (radius, place) => `${radius} um <place>${place}</place>`,
      remove: 'Entfernen',
      radius: 'Radius',
      hideHere: 'Verbergen, wo ich bin',
      chooseOnMap: 'Auf der Karte wählen',
      consents: 'Wozu Sie zugestimmt haben',
      consent: {
        record: 'Ein Tagebuch auf diesem Gerät führen',
        deposit: 'Fingerabdrücke bei der Zentrale hinterlegen',
        report: 'Mit einem Code melden (jedes Mal gefragt)',
        spread: 'Bei einer Meldung einen meiner Orte auf einer öffentlichen Karte mitzählen, ohne meinen Namen',
      },
      help: 'Wenn etwas im Weg steht',
      inaccurate: 'Positionen sind zu ungenau',
      inaccurateWhy: (limit) =>
        `Nur Positionen, die auf höchstens ${limit} genau sind, werden behalten, denn andere lassen sich nicht vergleichen. Im Freien oder am Fenster werden sie besser. Schalten Sie auf einem Telefon den genauen Standort für diesen Browser ein.`,
      clock: 'Die Uhr dieses Geräts geht falsch',
      clockWhy:
        'Schalten Sie in den Einstellungen des Geräts Datum und Uhrzeit auf automatisch. Bis dahin gleicht die App es mit den Zeiten der Rechner des Verbunds aus.',
      background: 'Nichts wird aufgezeichnet, während die App geschlossen ist',
      backgroundWhy:
        'Ein Browser gibt einer Seite nur Positionen, solange sie offen und sichtbar ist. Lassen Sie diese Seite offen.',
      streets: 'Straßen auf der Karte',
      streetsWhy:
        'Die Karte zeichnet Straßen aus einer Kartendatei: einem PMTiles-Archiv mit Vektorkacheln, zum Beispiel einem Auszug von OpenStreetMap. Die Datei liegt ganz auf diesem Gerät, daher erfährt niemand, welchen Teil davon Sie ansehen.',
      streetsChoose: 'Kartendatei wählen',
      streetsAsk: 'Nach der Kartendatei der Behörde fragen',
      streetsFetch: (size) => `Holen: ${size}`,
      streetsFetching: (size) => `Wird geholt: bisher ${size} …`,
      streetsCopying: 'Die Datei wird geprüft und kopiert …',
      streetsKept: (size) => `Eine Kartendatei von ${size} liegt auf diesem Gerät.`,
      streetsOnce: (size) =>
        `Eine Kartendatei von ${size} ist geöffnet. Dieser Browser kann sie nicht behalten, wählen Sie sie also nächstes Mal neu.`,
      streetsDamaged: 'Teile davon sind nicht lesbar. Holen Sie die Datei neu.',
      streetsRemove: 'Kartendatei entfernen',
      streetsProblems: {
        unreadable: 'Das ist kein PMTiles-Archiv, oder es ist beschädigt. Wählen Sie eine andere Datei.',
        pictures: 'Die Kacheln dieser Datei sind Bilder. Wählen Sie ein Archiv mit Vektorkacheln (MVT).',
        full: 'Auf dem Gerät ist kein Platz für diese Datei. Schaffen Sie Platz, oder wählen Sie einen kleineren Auszug.',
        none: 'Die Behörde bietet hier keine Kartendatei an.',
        offline: 'Die Datei ist gerade nicht zu holen. Versuchen Sie es wieder, wenn Sie online sind.',
      },
      notifications: 'Benachrichtigungen',
      notify: 'Mich benachrichtigen',
      notifying: {
        granted: 'An. Eine Benachrichtigung sagt, dass es Neues gibt, und nennt weder Ort noch Zeit.',
        denied:
          'Der Browser erlaubt dieser Seite keine Benachrichtigungen. Sie können das in seinen Einstellungen ändern.',
        default: 'Aus. Eine Benachrichtigung würde sagen, dass es Neues gibt, und weder Ort noch Zeit nennen.',
        none: 'Dieser Browser hat keine Benachrichtigungen.',
      },
      closed:
        'Ist die App geschlossen, zeichnet sie nichts auf, gleicht nicht ab und benachrichtigt nicht. Sie holt es nach, wenn Sie sie öffnen.',
      storage: 'Speicher',
      sealed: (size) => `${size}, versiegelt mit einem Schlüssel dieses Browsers.`,
      persisted: 'Der Browser behält ihn, bis Sie ihn löschen.',
      notPersisted: 'Der Browser kann ihn löschen, wenn auf dem Gerät der Platz ausgeht.',
      persist: 'Den Browser bitten, ihn zu behalten',
      federation: 'Verbund',
      about: (name, nodes, operators, days, limit) =>
        `${name}: ${n.count(nodes, { one: '# Rechner Freiwilliger', other: '# Rechner Freiwilliger' })} von ${n.count(operators, { one: '# Betreiber', other: '# Betreibern' })}. Die Zentrale behält Hinterlegtes ${n.count(days, { one: '# Tag', other: '# Tage' })} lang. Geräte behalten Positionen, die auf höchstens ${limit} genau und langsamer als 108 km/h sind.`,
      erase: 'Alles löschen',
      eraseWhy:
        'Das Tagebuch, alle Fingerabdrücke und Warnungen, hier sofort und bei der Zentrale, sobald sie erreichbar ist.',
      eraseAsk: 'Löschen …',
      eraseYes: 'Ja, alles löschen',
      no: 'Nein',
      erased: 'Gelöscht, hier und bei der Zentrale.',
      erasedHere: (why) => `Hier gelöscht. Die Zentrale folgt: ${why}`,
    },
    privacy: {
      title: 'Datenschutz',
      lead: (messages, bytes) =>
        `Alles, was dieses Gerät verlässt, kommt hier vorbei. Seit die App offen ist: ${n.count(messages, { one: '# Nachricht', other: '# Nachrichten' })}, ${bytes}.`,
      questions: 'Acht Fragen',
      answers: (salting) => [
        {
          question: 'Was bekommt die Behörde?',
          answer:
            salting === 'plain'
              ? 'Eine Zufallszahl für Sie und Ihre Hashes je 80 Minuten, ohne Ort. Dieser Verbund nutzt einfache Salts, deshalb öffnet sie eine einzige Anfrage bei Freiwilligen binnen drei Stunden.'
              : 'Eine Zufallszahl für Sie und Ihre Hashes je 80 Minuten, ohne Ort. Sie kann ausgewählte Orte prüfen, eine begrenzte Zahl je Adresse, und Freiwillige, die sich absprechen, können alles lesen.',
        },
        {
          question: 'Wie anonym bin ich?',
          answer:
            'Kein Name geht hinaus, und Freiwillige reichen Ihre versiegelten Abgleiche weiter, sodass die Zentrale keine Adresse sieht, wenn diese sie ihr nicht verraten. Alle Abgleiche dieses Geräts gehören zusammen. Wer zwei Ihrer Orte und Zeiten kennt, kann Ihre Zahl finden.',
        },
        {
          question: 'Wer erfährt, dass ich gefährdet bin?',
          answer: 'Dieses Gerät, und die Zentrale unter Ihrer Zufallszahl. Sonst erfährt es niemand.',
        },
        {
          question: 'Kann ich herausfinden, wer infiziert ist?',
          answer:
            'Eine Begegnung nennt einen Ort und eine Zeit, aber keine Person. Waren Sie mit jemandem allein, so wissen Sie es.',
        },
        {
          question: 'Was können andere mich glauben machen?',
          answer:
            'Eine falsche Antwort Freiwilliger fällt im selben Abgleich auf. Erfundene Hashes können Menschen warnen, die niemanden trafen, zu einem Preis für jeden Ort.',
        },
        {
          question: 'Was erfahren Freiwillige, das Netz und Diebe?',
          answer:
            salting === 'plain'
              ? 'Freiwillige erfahren Ihre Adresse und dass Sie irgendwo in einem Anteil der Welt waren. Das Netz sieht, wann Sie abgleichen, in wenigen Größen. Wer die Datenbank stiehlt, findet Hashes, deren Salts weg sind.'
              : 'Freiwillige erfahren Ihre Adresse, einen Anteil der Welt und verdeckte Zahlen. Das Netz sieht, wann Sie abgleichen, in wenigen Größen. Wer die Datenbank stiehlt, findet Hashes, deren Schlüssel weg sind.',
        },
        {
          question: 'Sind Menschen, die melden, schlechter geschützt?',
          answer:
            'Eine Meldung ist so groß wie jeder Abgleich. Sie löst sofort einen Abgleich aus, die Zentrale weiß, welche Zahl gemeldet hat, und wer Orte prüft, erfährt über Meldende mehr.',
        },
        {
          question: 'Wie kann ich das prüfen?',
          answer:
            'Diese Seite zeigt jedes Byte, das hinausgeht. Quelltext, Tests und die Zahlen aller Angriffe sind öffentlich, in PRIVACY.md.',
        },
      ],
      seen: 'Was jede Seite beim letzten Abgleich sah',
      seenNothing: 'Noch kein Abgleich, seit die App offen ist.',
      seenOf: {
        nodes: (count) => n.count(count, { one: '# Salt-Knoten', other: '# Salt-Knoten' }),
        relay: 'Der Knoten, der den Abgleich weiterreichte',
        member: 'Ein Mitglied',
        network: 'Wer das Netz beobachtet',
      },
      sawEvaluations: (shards, from, to, elements) =>
        `Ihre Internetadresse, Anteil ${n.list(shards)}, die Zeit von ${from} bis ${to} und ${n.count(elements, { one: '# verdeckte Zahl', other: '# verdeckte Zahlen' })}, samt Auffüllung. Keinen Ort und keinen Schlüssel: Erst drei Antworten ergeben einen.`,
      sawSalts: (shards, from, to, salts) =>
        `Ihre Internetadresse, Anteil ${n.list(shards)} und ${n.count(salts, { one: '# Zeitblock', other: '# Zeitblöcke' })} von ${from} bis ${to}. Keinen Ort.`,
      sawSealed: (bytes) =>
        `Ihre Internetadresse und ${bytes}, die nur die Zentrale lesen kann. Die Zentrale bekommt sie ohne Ihre Adresse.`,
      sawRoster: 'Ihre Internetadresse, und dass Sie abgeglichen haben.',
      sawNetwork: (messages, bytes) =>
        `${n.count(messages, { one: '# verschlüsselte Nachricht', other: '# verschlüsselte Nachrichten' })} an diese Rechner, ${bytes} in wenigen festen Größen.`,
      next: 'Was der nächste Abgleich hinterlegen würde',
      nextIs: (bytes, rows) => `${bytes} für die Zentrale, darin ${hashes(rows)}.`,
      nextWaiting: (count) =>
        `${n.count(count, { one: '# weitere Position wird', other: '# weitere Positionen werden' })} vorher gehasht.`,
      nextHeld: (count) =>
        `${n.count(count, { one: '# Position wird', other: '# Positionen werden' })} zurückgehalten.`,
      left: 'Was hinausging, seit die App offen ist',
      nothing: 'Nichts.',
      unknownPeer: 'ein Rechner des Rosters',
      saltNode: (operator) => `Salt-Knoten von ${operator}`,
      central: (operator) => `Zentrale von ${operator}`,
      noAnswer: 'keine Antwort',
      answer: (bytes) => `← ${bytes}`,
      fields: 'Die Felder der Nachricht',
      field: 'Feld',
      bytes: 'Bytes',
      says: 'Was es sagt',
      dump: 'Die Nachricht Byte für Byte',
      all: (lines) => `Alle ${n.number(lines)} Zeilen zeigen`,
    },
    frames: {
      request: { name: 'Anfrage', says: 'der Wunsch nach einem Roster' },
      sealedVersion: { name: 'Version', says: 'versiegelte Nachrichten der Version 1' },
      oneTimeKey: { name: 'Einmalschlüssel', says: 'zufällig, neu für jede Nachricht' },
      sealedSync: {
        name: 'versiegelter Abgleich',
        says: 'nur die Zentrale kann ihn lesen, der Knoten, der ihn weiterreicht, nicht',
      },
      version: { name: 'Version', says: 'Nachrichten der Version 2' },
      minute: 'Minute',
      filledIn: 'wird beim Senden eingesetzt',
      secret: { name: 'Benutzergeheimnis', says: 'wer hinterlegt: eine Zufallszahl dieses Geräts' },
      syncId: { name: 'Abgleichnummer', says: 'zufällig, damit eine Wiederholung als solche erkannt wird' },
      kind: 'Art',
      kinds: {
        none: 'nichts zu melden',
        code: 'ein Meldecode',
        erase: 'alles von mir löschen',
        withdraw: 'meine Meldung zurückziehen',
      },
      slip: { name: 'Beileger', says: 'bei einer Meldung ein versiegelter Beitrag zu einer Karte, sonst leer' },
      marks: 'Markierungen bisher',
      marksSay: (generation, read) => `Generation ${generation}, ${n.number(read)} gelesen`,
      groups: 'Gruppen',
      epochs: (count) => n.count(count, { one: '# Epoche', other: '# Epochen' }),
      epoch: 'Epoche',
      rows: (rows, from) => `${hashes(rows)} der 80 Minuten ab ${from}`,
      rowsBack: (rows, back, from) => `${hashes(rows)}, davon ${n.number(back)} zu löschen, der 80 Minuten ab ${from}`,
      hashes: {
        name: 'Risiko-Hashes',
        says: 'je 12 Bytes, und eines für die Länge des Blocks; ohne die Salts kann niemand einen Ort darin lesen',
      },
      padding: { name: 'Auffüllung', says: 'Nullen, damit alle Abgleiche von wenigen Größen sind' },
      suite: 'Version, Verfahren',
      plain: 'Protokoll 1, einfache Salts',
      threshold: 'Protokoll 1, Auswertungen mit Schwelle',
      roster: 'Roster',
      rosterSays: (name) => `des Verbunds: <b>${name}</b>`,
      shard: 'Anteil',
      shardSays: (shard) => `${n.number(shard)}: einer der Anteile der Welt, überall zugleich`,
      count: 'Anzahl',
      salts: (count) => n.count(count, { one: '# Salt', other: '# Salts' }),
      blocks: 'Zeitblöcke',
      blocksSay: (sizes, from, to) => `von ${n.list(sizes)} Minuten, von ${from} bis ${to}; kein Ort`,
      flags: 'Schalter, Anzahlen',
      flagsSay: (batch, epochs, wantsKeys) =>
        `${n.count(batch, { one: '# Element', other: '# Elemente' })} für jede von ${n.count(epochs, { one: '# Epoche', other: '# Epochen' })}${wantsKeys ? ', und die Schlüssel aller Teile' : ''}`,
      epochsSay: (from, to) => `die jeweils 80 Minuten, von ${from} bis ${to}`,
      elements: {
        name: 'Elemente',
        says: 'Zellen, jede mit einer Zufallszahl multipliziert, und zufällige zum Auffüllen; niemand kann sagen, welche welche ist',
      },
    },
    lab: {
      title: 'Labor',
      lead: 'Ada und Ben, jeder mit einem Telefon. Alles hier wird jetzt auf dieser Seite berechnet, vom selben Kern und demselben Programm, das Ihr Telefon ausführt, mit einem Verbund, der in dieser Seite lebt.',
      steps: (salting) => [
        'Zwei Menschen',
        'Sechsecke',
        'Zeitblöcke',
        salting === 'plain' ? 'Salts' : 'Schlüssel',
        'Risiko-Hashes',
        'Wer was sah',
        'Markierungen',
      ],
      meeting: 'Das Treffen',
      apart: 'Abstand',
      benBefore: 'Ben vor Ada',
      benAfter: 'Ben nach Ada',
      loading: 'Der Kern wird geladen …',
      back: 'Zurück',
      next: (step) => (step === undefined ? 'Weiter' : `Weiter: ${step}`),
      learnsNothing: 'Wenn Ada meldet, erfährt Ben nichts, denn keiner seiner Hashes zählt.',
      notified: (closeness) => `Wenn Ada meldet, wird Ben benachrichtigt: ${closeness}`,
      plan: (shared) =>
        `Ada und Ben von oben, ${n.count(shared, { one: '# gemeinsames Sechseck', other: '# gemeinsame Sechsecke' })}`,
      peopleTitle: 'Zwei Menschen, zwei Fixe',
      people:
        'Alle fünf Minuten behält ein Telefon seine genaueste Position: Breite, Länge, Zeit. Das ist ein Fix. Er bleibt im Tagebuch des Telefons.',
      fixAt: (place, time) => `${place} um ${time}`,
      hexagonsTitle: 'Je drei Sechsecke',
      hexagons:
        'Aus einem Fix werden drei Sechsecke von 22 m, eines je Ebene. Die Ebenen sind verschoben, damit jemand am Rand des einen Sechsecks im Inneren eines anderen ist. Zwei Menschen, die näher als 6,5 m sind, teilen immer eines, und zwei, die mehr als 24 m entfernt sind, nie.',
      layer: (layer) => `Ebene ${layer}: `,
      shared: 'gemeinsam',
      different: 'zwei verschiedene',
      noneShared: 'Ada und Ben teilen kein Sechseck, also kann nichts übereinstimmen.',
      someShared: (count, layers) =>
        `Ada und Ben teilen ${n.count(count, { one: '# Sechseck', other: '# Sechsecke' })}${layers.length > 0 ? ` (${n.list(layers)})` : ''}.`,
      blocksTitle: 'Je zehn Zeitblöcke',
      blocks:
        'Die Zeit ist in Blöcke von 5, 10, 20, 40 und 80 Minuten geteilt. Ein Fix zählt in seinem Block und im nächsten, denn was jemand ausgeatmet hat, bleibt eine Weile. Über der Linie Ada, darunter Ben; umrandet ist der nächste Block.',
      blocksLabel: 'Zeitblöcke',
      noBlock: 'Ben war in keinem von Adas Blöcken und in keinem der Blöcke danach.',
      sameBlock: (sizes) => `Derselbe Block von ${n.list(sizes)} Minuten.`,
      trailBlock: (sizes) => `Ben kam im Block nach Adas, von ${n.list(sizes)} Minuten.`,
      saltsTitle: 'Salts von Freiwilligen',
      salts: (shards, asked) =>
        `Jedes Sechseck liegt in einer Region von etwa 50 km, und die Nummer der Region modulo ${n.number(shards)} nennt den Anteil: ${n.list(asked)}. Die Telefone bitten Freiwillige dieses Anteils um einen Salt je Zeitblock. Ein Salt sagt nichts über einen Ort, lebt einige Stunden und ist für alle gleich, die fragen.`,
      saltRequest: (who, node, up, down) =>
        `${who} fragt den Knoten von <b>${node}</b>: ${up} hin, ${down} zurück, unterschrieben und mit dem Blatt verglichen.`,
      saltsTable: 'Salts',
      block: 'Block',
      saltOf: { ada: 'Adas Salt', ben: 'Bens Salt' },
      blockFrom: (size, from, shard) => `${size} ab ${from}${shard === undefined ? '' : `, Anteil ${shard}`}`,
      keysTitle: 'Schlüssel von Freiwilligen, die nicht sehen, wofür',
      keys: (threshold, replicas, shards, asked) =>
        `Jedes Sechseck liegt in einer Region von etwa 50 km, und die Nummer der Region modulo ${n.number(shards)} nennt den Anteil: ${n.list(asked)}. Das Telefon braucht einen Schlüssel für jedes Sechseck und je 80 Minuten. ${n.number(threshold)} der ${n.number(replicas)} Freiwilligen des Anteils müssen helfen, und niemand von ihnen sieht ein Sechseck oder einen Schlüssel.`,
      blindTitle: 'Ein Sechseck, Schritt für Schritt',
      blind: {
        cell: 'Adas Sechseck der Ebene A',
        cellWhy: 'Es bleibt auf dem Telefon.',
        blinded: 'Verdeckt',
        blindedWhy:
          'Das Telefon macht aus dem Sechseck einen Punkt einer Kurve und multipliziert ihn mit einer Zufallszahl. Das ist, was die Freiwilligen sehen.',
        answer: (node) => `Antwort von ${node}`,
        answerWhy:
          'Multipliziert mit dem eigenen Anteil an einem Geheimnis, mit einem Beweis, dass es dieser Anteil war.',
        key: 'Schlüssel',
        keyWhy: (threshold) =>
          `Das Telefon prüft die Beweise, zählt die ${n.number(threshold)} Antworten mit ihren Gewichten zusammen und teilt durch seine Zufallszahl.`,
      },
      keyRequest: (who, node, elements, up, down) =>
        `${who} fragt den Knoten von <b>${node}</b> mit ${n.count(elements, { one: '# verdeckten Zahl', other: '# verdeckten Zahlen' })}: ${up} hin, ${down} zurück, unterschrieben und bewiesen.`,
      keysTable: 'Schlüssel',
      hexagon: 'Sechseck',
      keyOf: { ada: 'Adas Schlüssel', ben: 'Bens Schlüssel' },
      hexagonFrom: (layer, from) => `Ebene ${layer}, die 80 Minuten ab ${from}`,
      hashesTitle: 'Je dreißig Risiko-Hashes',
      hashes: (salting, equal) =>
        `Sechseck, Block und ${salting === 'plain' ? 'Salt' : 'Schlüssel'} gehen durch SHA-256; zwölf Bytes davon sind der Risiko-Hash. Wo beide dasselbe Sechseck und denselben Block hatten, sind die Hashes gleich: ${equal === 0 ? 'nirgends' : n.count(equal, { one: 'einmal', other: '#-mal' })}.`,
      hashesOf: (name) => `Risiko-Hashes von ${name}`,
      layerColumn: 'Ebene',
      current: 'jetziger',
      nextColumn: 'nächster',
      centreTitle: 'Was jede Seite sah',
      centre: (rows, twice, sizes) =>
        `Die Zentrale sah ${hashes(rows)} von zwei zufälligen Namen, und sonst nichts. Daraus kann sie keinen Ort lesen; sie kann sehen, dass ${n.count(twice, { one: '# zweimal da ist', other: '# zweimal da sind' })}. Die Abgleiche sind von fester Größe: ${n.list(sizes)}.`,
      nodeSaw: (salting, node, who, count) =>
        salting === 'plain'
          ? `Der Knoten von <b>${node}</b> sah die Adressen von ${n.list(who)}, den Anteil und ${n.count(count, { one: '# Zeitblock', other: '# Zeitblöcke' })}.`
          : `Der Knoten von <b>${node}</b> sah die Adressen von ${n.list(who)}, den Anteil, die 80 Minuten und ${n.count(count, { one: '# verdeckte Zahl', other: '# verdeckte Zahlen' })}.`,
      networkSaw: (messages) =>
        `Wer das Netz beobachtet, sah ${n.count(messages, { one: '# verschlüsselte Nachricht', other: '# verschlüsselte Nachrichten' })} in wenigen Größen.`,
      cloud: (rows) => `${hashes(rows)}, die doppelten hervorgehoben`,
      marksTitle: 'Ada meldet, Ben erfährt es',
      marks:
        'Adas Code kommt mit einem gewöhnlichen Abgleich an. Die Zentrale markiert die Hashes anderer, die ihren gleichen und nicht früher sind. Bei Bens nächstem Abgleich liest sein Telefon seine Markierungen und schlägt sie im eigenen Tagebuch nach, dem einzigen Ort, der weiß, was sie bedeuten.',
      noMarks: 'Nichts von Ben ist markiert: Sie waren zu weit auseinander, oder er war gegangen, bevor sie kam.',
      marked: (same, trail, minutes, certainty, place) =>
        `${n.count(same, { one: '# Markierung', other: '# Markierungen' })} desselben Blocks, ${n.number(trail)} des Blocks danach; im Abstand von höchstens ${n.minutes(minutes)}; Sicherheit: ${certainty}. Bei ${place}, was nur Bens Telefon weiß.`,
    },
  }
}

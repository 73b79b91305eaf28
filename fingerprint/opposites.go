package fingerprint

import (
	"slices"
	"strings"
)

// opposites are groups of words that exclude each other: two texts of which each has one that the other lacks say
// different things. A line is a group, its members stand between bars, and the words of a member mean the same. Words are
// compared by stem where their language has a stemmer, so irregular forms and German ones stand here in full.
//
// Ordinals stand here as the numbers that they are read as. A word is only here if it hardly ever stands beside its opposite in another telling of the same: "old" and "new" do.
const opposites = `
received receive incoming inbound | sent send sending outgoing outbound
buy bought purchase | sell sold sale
add added | remove removed delete deleted
approve approved approval | reject rejected rejection deny denied decline declined
accept accepted acceptance | refuse refused
enable enabled activate activated | disable disabled deactivate deactivated
open opened reopen | close closed
start started begin began begun | stop stopped end ended
increase increased raise raised upgrade upgraded | decrease decreased reduce reduced lower lowered downgrade downgraded
credit credited deposit deposited | debit debited withdraw withdrew withdrawn withdrawal
grant granted | revoke revoked
lock locked | unlock unlocked
subscribe subscribed | unsubscribe unsubscribed
block blocked ban banned | unblock unblocked unban unbanned
publish published | unpublish unpublished
mute muted | unmute unmuted
follow | unfollow
pin pinned | unpin unpinned
archive archived | unarchive unarchived
hire hired | fire fired
checkin check-in | checkout check-out
login | logout
import imported | export exported
upload uploaded | download downloaded
arrival arrive arrived | departure depart departed
pass passed success succeeded successful | fail failed failure
1 | last
true | false
yes | no
left | right
north | south | east | west
morning | afternoon | evening | night
breakfast | lunch | dinner
today | tomorrow | yesterday
am | pm
daily | weekly | monthly | quarterly | yearly annual annually
monday mon | tuesday tue tues | wednesday wed | thursday thu thurs | friday fri | saturday sat | sunday
january jan | february feb | march | april apr | may | june jun | july jul | august aug | september sep sept | october oct | november nov | december dec
low | medium | high
male | female
empfangen erhalten | gesendet senden versendet verschickt
kaufen gekauft kauf | verkaufen verkauft verkauf
hinzufügen hinzugefügt | entfernen entfernt löschen gelöscht
genehmigen genehmigt annehmen angenommen | ablehnen abgelehnt
aktivieren aktiviert | deaktivieren deaktiviert
öffnen geöffnet | schließen geschlossen
erhöhen erhöht | senken gesenkt verringern verringert
sperren gesperrt | entsperren entsperrt
anmelden angemeldet | abmelden abgemeldet
gestern | heute | morgen
montag | dienstag | mittwoch | donnerstag | freitag | samstag sonnabend | sonntag
januar jänner | februar | märz | mai | juni | juli | oktober | dezember
reçu reçus recevoir | envoyé envoyés envoyer
acheter acheté achat | vendre vendu vente
ajouter ajouté | supprimer supprimé retirer retiré
approuver approuvé accepter accepté | rejeter rejeté refuser refusé
activer activé | désactiver désactivé
ouvrir ouvert | fermer fermé
augmenter augmenté | réduire réduit diminuer diminué
hier | aujourd'hui | demain
lundi | mardi | mercredi | jeudi | vendredi | samedi | dimanche
janvier | février | mars | avril | mai | juin | juillet | août | septembre | octobre | novembre | décembre
recibido recibidos recibir | enviado enviados enviar
comprar comprado compra | vender vendido venta
añadir añadido agregar agregado | eliminar eliminado quitar quitado
aprobar aprobado aceptar aceptado | rechazar rechazado
activar activado | desactivar desactivado
abrir abierto | cerrar cerrado
aumentar aumentado | reducir reducido disminuir disminuido
ayer | hoy | mañana
lunes | martes | miércoles | jueves | viernes | sábado | domingo
enero | febrero | marzo | abril | mayo | junio | julio | agosto | septiembre | octubre | noviembre | diciembre
`

// opposite is a word's place among the opposites.
type opposite struct{ group, member int }

// oppositeTable finds the places of a word by its stem.
type oppositeTable map[string][]opposite

func (t oppositeTable) enter(group int, members [][]string, stem func(string) string) {
	for member, words := range members {
		for _, word := range words {
			key, place := stem(word), opposite{group, member}
			if !slices.Contains(t[key], place) {
				t[key] = append(t[key], place)
			}
		}
	}
}

// builtinOpposites reads the table above.
func builtinOpposites() (groups [][][]string) {
	for line := range strings.Lines(strings.TrimSpace(opposites)) {
		var group [][]string
		for member := range strings.SplitSeq(line, "|") {
			group = append(group, strings.Fields(member))
		}
		groups = append(groups, group)
	}
	return groups
}

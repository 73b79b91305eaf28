package fingerprint

import "strings"

// tongue is a language whose function words and stems are known. The others are compared as English is, which costs a
// little of the likeness of two inflections and nothing else.
type tongue uint8

const (
	english tongue = iota
	german
	french
	spanish
	tongues = iota
)

// functionWords join other words and say little by themselves. They are told from content in any language, and tell the
// language of a text. None is also a usual content word of one of the other languages.
var functionWords = [tongues]string{
	english: `a about after again all also am an and any are as at be because been before being both but by can could did do does doing down each few
 for from further had has have having he her here hers him his how i if in into is it its itself just me more most my of off on once only or other our out over own
 per please same she should so some such than that the their them then there these they this those through to too under until up very was we were what when where
 which while who whom why will with would you your i'm i've i'll it's we're you're that's here's let's may might must shall upon via regarding`,
	german: `aber alle als also am an auch auf aus bei bin bis bitte da damit dann das dass dein deine dem den der des dich die dies diese dieser dieses dir doch dort
 du durch ein eine einem einen einer eines er es euch euer für gegen hab habe haben hat hatte hier ich ihm ihn ihnen ihr ihre im in ins ist ja jede jeder jetzt kann können
 man mehr mein meine mich mir mit muss nach noch nun nur ob oder schon sehr sein seine seit sich sie sind so soll über um und uns unser unter vom von vor war waren was
 weil wenn wer werden wie wir wird wurde zu zum zur zwischen`,
	french: `à ai alors au aux avec avez avons bien c'est ce ceci cela ces cet cette comme d'un d'une dans de des donc du elle elles en est et été être eu fait il ils
 j'ai je l'on la le les leur leurs lui ma mais me mes moi mon notre nos nous on ont ou où par pour plus puis qu'il que quel quelle qui sa se ses si son sont suis sur ta te tes
 toi ton tous tout toute tu un une va veuillez vos votre vous y`,
	spanish: `al algo ante aquí así aún bien cada como con cual cuando de del desde donde dos el él ella ellas ellos en entre era es esa ese eso esta está están este esto
 estos fue ha había han hasta hay la las le les lo los más me mi mis mucho muy nos nosotros o os otra otro para pero por porque que qué quien se ser si sí sido sobre su sus
 también te tiene todo todos tu tus un una uno unos usted y ya yo`,
}

// negations turn what a text says into its opposite.
const negations = `not no never none nobody nothing neither nor without cannot can't don't doesn't didn't won't wouldn't shouldn't couldn't isn't aren't
 wasn't weren't hasn't haven't hadn't mustn't needn't
 nicht kein keine keinen keinem keiner keines nie niemals ohne nichts weder
 pas jamais sans aucun aucune rien ni
 nunca jamás sin ningún ninguna ninguno nada tampoco`

// numberWords are numbers and ordinals in words, each before the words for it. The words for 1 that are articles, too, are
// not there.
var numberWords = []string{
	"1: first 1-st initial erste ersten erster erstes premier première primera primero primer",
	"2: two second zwei zweite zweiten zweiter zweites deux deuxième seconde segunda segundo",
	"3: three third drei dritte dritten dritter drittes trois troisième tres tercera tercero tercer",
	"4: four fourth vier vierte vierten vierter quatre quatrième cuatro cuarta cuarto",
	"5: five fifth fünf fünfte fünften fünfter cinq cinquième cinco quinta quinto",
	"6: six sixth sechs sechste sechsten sechster sixième seis sexta sexto",
	"7: seven seventh sieben siebte siebten siebter sept septième siete séptima séptimo",
	"8: eight eighth acht achte achten achter huit huitième ocho octava octavo",
	"9: nine ninth neun neunte neunten neunter neuf neuvième nueve novena noveno",
	"10: ten tenth zehn zehnte zehnten zehnter dix dixième diez décima décimo",
	"11: eleven eleventh elf elfte onze onzième once",
	"12: twelve twelfth zwölf zwölfte douze douzième doce",
	"final: final finale finalen letzte letzten letzter dernier dernière último última",
}

// fillers are what stands where a text is still to be written.
const fillers = `todo tbd tba tbc fixme placeholder lorem ipsum xxx n/a na null nil none undefined empty blank insert add put text content message body subject here your
 the some goes`

// strongFillers are those of which one makes a text of fillers a placeholder.
const strongFillers = `todo tbd tba tbc fixme placeholder lorem ipsum xxx n/a na null nil none undefined insert here`

// wordEntry is what the tables say of one word.
type wordEntry struct {
	tongues                        uint8 // a bit for each language that has it as a function word
	negation, filler, strongFiller bool
	number                         string
}

// lexicon holds the entries of the words, in lower case.
var lexicon = func() map[string]wordEntry {
	entries := map[string]wordEntry{}
	enter := func(words string, change func(*wordEntry)) {
		for word := range strings.FieldsSeq(words) {
			e := entries[word]
			change(&e)
			entries[word] = e
		}
	}
	for lang, words := range functionWords {
		enter(words, func(e *wordEntry) { e.tongues |= 1 << lang })
	}
	enter(negations, func(e *wordEntry) { e.negation = true })
	for _, row := range numberWords {
		number, words, _ := strings.Cut(row, ":")
		enter(words, func(e *wordEntry) { e.number = number })
	}
	enter(fillers, func(e *wordEntry) { e.filler = true })
	enter(strongFillers, func(e *wordEntry) { e.strongFiller = true })
	return entries
}()

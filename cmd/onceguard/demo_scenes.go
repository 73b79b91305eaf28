package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// dayScenes are what is worth a look in the day before the demo.
var dayScenes = []scene{
	{20 * time.Hour, func(d *day) {
		refund := `{"order_id": "` + lossy + `3", "amount": 32.50, "currency": "EUR", "reason": "wrong size"}`
		d.keep("lost", d.call(demoSupport, "ticket-4630", "payments.refund", refund))
		for range 3 {
			d.call(demoSupport, "ticket-4630", "payments.refund", refund)
		}
	}},
	{19 * time.Hour, func(d *day) {
		d.decide("lost", guard.Happened, "The payment service shows it.", `{"refund": "rf_318", "state": "paid"}`)
	}},
	{18*time.Hour + 40*time.Minute, func(d *day) {
		d.call(demoSupport, "ticket-4630", "payments.refund", `{"order_id": "`+lossy+`3", "amount": "32.5", "currency": "eur"}`)
	}},
	{16 * time.Hour, func(d *day) {
		d.call(demoSales, "monday-list", "crm.update", `{"customer": "old@example.com", "delete": true}`) // nobody decides in time
	}},
	{15 * time.Hour, func(d *day) {
		d.keep("large", d.call(demoSupport, "ticket-4641", "payments.refund", `{"order_id": "R-2101", "amount": 780, "currency": "EUR", "reason": "whole order returned"}`))
	}},
	{14*time.Hour + 30*time.Minute, func(d *day) {
		d.decide("large", guard.Approve, "The parcel is back in the warehouse.", "")
	}},
	{14*time.Hour + 20*time.Minute, func(d *day) {
		d.call(demoSupport, "ticket-4641", "payments.refund", `{"order_id": "R-2101", "amount": 780.00, "currency": "EUR"}`)
	}},
	{12 * time.Hour, func(d *day) {
		d.keep("fraud", d.call(demoSupport, "ticket-4644", "payments.refund", `{"order_id": "R-2102", "amount": 650, "currency": "EUR", "reason": "customer is angry"}`))
	}},
	{11*time.Hour + 45*time.Minute, func(d *day) {
		d.decide("fraud", guard.Reject, "This order was refunded by the bank already.", "")
		d.call(demoSupport, "ticket-4644", "payments.refund", `{"order_id": "R-2102", "amount": 650, "currency": "EUR"}`)
	}},
	{9 * time.Hour, func(d *day) {
		d.call(demoSupport, "ticket-4650", "payments.refund", `{"order_id": "`+refusedOrders+`9", "amount": 12, "currency": "EUR"}`)
	}},
	{7 * time.Hour, func(d *day) {
		d.call(demoSupport, "ticket-4655", "mail.send", `{"to": ["carla@example.com"], "subject": "Your return", "body": "Your parcel has arrived and we are checking it now."}`)
		again := `{"to": ["carla@example.com"], "subject": "Your return", "body": "Your parcel has arrived, and we are checking it right now!"}`
		if a := d.call(demoSupport, "ticket-4655", "mail.send", again); a.Explanation.Confirm != nil {
			d.call(demoSupport, "ticket-4655", "mail.send", again, func(c *guard.Call) {
				c.Confirm = guard.Confirm{Token: a.Explanation.Confirm.Token, Reason: "Carla did not get the first one."}
			})
		}
	}},
	{6*time.Hour + 30*time.Minute, func(d *day) {
		for i := range 5 {
			d.call(demoTriage, "nightly", "tickets.close", fmt.Sprintf(`{"ticket": "OPS-%d", "comment": "A duplicate of OPS-1."}`, 811+i), func(c *guard.Call) {
				c.Labels = map[string]string{"night": "yes"}
			})
		}
	}},
	{5 * time.Hour, func(d *day) {
		d.call(demoPlatform, "release-88", "deploy.start", `{"service": "checkout", "version": "4.12.0", "environment": "production"}`)
	}},
	{3 * time.Hour, func(d *day) {
		d.call(demoSales, "renewals", "crm.update", `{"customer": "frank@example.com", "plan": "yearly", "seats": 12, "invoice": "by mail"}`, id(halfDone))
	}},
	{2 * time.Hour, func(d *day) {
		refund := `{"order_id": "` + lossy + `5", "amount": 129.90, "currency": "EUR", "reason": "never arrived"}`
		for range 5 {
			d.call(demoSupport, "ticket-4690", "payments.refund", refund)
		}
	}},
	{80 * time.Minute, func(d *day) {
		d.call(demoSales, "renewals", "calendar.invite", `{"customer": "gina@example.com", "at": "`+inDays(8)+`T10:00:00+01:00"}`)
		d.call(demoSales, "renewals", "calendar.invite", `{"customer": "Gina@example.com", "at": "`+inDays(9)+`T15:30:00+01:00", "note": "She asked for another time."}`)
	}},
	{50 * time.Minute, func(d *day) {
		_, err := d.guard.Switch(d.ctx, demoAdmin, guard.Switch{Kind: guard.SwitchAgent, Name: "intern-bot", Off: true, Reason: "It closed tickets of other teams."})
		d.note(err)
		intern := demoTriage
		intern.Agent = "intern-bot"
		d.call(intern, "nightly", "tickets.close", `{"ticket": "OPS-99", "comment": "Seems old."}`)
	}},
	{40 * time.Second, func(d *day) {
		d.call(demoPlatform, "release-89", "deploy.start", `{"service": "search", "version": "2.3.1", "environment": "staging"}`, id(leftOpen))
	}},
}

// inDays is the date some days ahead.
func inDays(n int) string { return time.Now().AddDate(0, 0, n).Format(time.DateOnly) }

// dayTraffic is what else goes on in a day: new effects, each now and then proposed again in another spelling. It is the same each time.
func dayTraffic() []scene {
	dice := rand.New(rand.NewPCG(1, 2))
	names := []string{"ann", "bob", "carla", "dan", "eve", "frank", "gina", "hugo"}
	var scenes []scene
	for half := range 47 {
		ago := time.Duration(47-half)*30*time.Minute + time.Duration(dice.IntN(25))*time.Minute
		busy := 1 + dice.IntN(2)
		if half > 20 {
			busy += 1 + dice.IntN(2)
		}
		refunds, mails, tickets := dice.IntN(busy+1), dice.IntN(busy+1), dice.IntN(2)
		repeats := dice.IntN(3)
		who, cents := dice.IntN(len(names)), 5+dice.IntN(90)
		scenes = append(scenes, scene{ago, func(d *day) {
			for i := range refunds {
				amount := cents + 7*i
				order, run := fmt.Sprintf("R-%d", 2000+10*half+i), fmt.Sprintf("ticket-%d", 4500+10*half+i)
				d.call(demoSupport, run, "payments.refund", fmt.Sprintf(`{"order_id": %q, "amount": %d, "currency": "EUR", "reason": "arrived broken"}`, order, amount))
				for range min(repeats, 1-i%2) {
					d.call(demoSupport, run, "payments.refund", fmt.Sprintf(`{"amount": "%d.00", "order_id": " %s ", "reason": "asked twice"}`, amount, order))
				}
			}
			for i := range mails {
				mail := fmt.Sprintf(`{"to": ["%s@example.com"], "subject": "Order R-%d", "body": "Hello, your order is on its way."}`, names[(who+i)%len(names)], 2000+10*half+i)
				for range 1 + repeats%2 {
					d.call(demoSupport, fmt.Sprintf("ticket-%d", 4500+10*half+i), "mail.send", mail)
				}
			}
			for range tickets {
				d.call(demoTriage, "sorting", "tickets.close", fmt.Sprintf(`{"ticket": "OPS-%d", "comment": "Solved by the last release."}`, 500+half))
			}
		}})
	}
	return scenes
}

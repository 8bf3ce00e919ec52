package main

import "bytes"

// devicesOut are the devices that were taken out, told by every record of a log, in order: section 14. It remembers those devices, and
// of work orders what was scrap of them.
type devicesOut struct {
	rows   map[string][]outRow // by registration ID, those that were not taken back
	scraps map[int64]string    // scrap in force: the registration ID of each
	orders map[string]map[string]bool
}

type outRow struct {
	seq   int64
	how   string // scrap, revoke or replace
	keeps bool   // the board that takes its place has its registration ID
	order bool   // scrap of a work order
}

func (d *devicesOut) add(seq int64, body []byte) error {
	ev := eventOf(body)
	intent, order := bytes.Equal(ev, []byte("inject.intent")), bytes.HasPrefix(ev, []byte("order."))
	if intent && len(d.rows) == 0 || !intent && !order && !bytes.HasPrefix(ev, []byte("device.")) && string(ev) != "carry.device" {
		return nil
	}
	own := ownFields(body)
	rid := string(own["rid"].text)
	switch string(ev) {
	case "inject.intent":
		for _, row := range d.inForce(rid) {
			if !row.order {
				return refuse("record", "record %d begins %s, which is out by record %d", seq, rid, row.seq)
			}
		}
	case "order.create", "order.close", "order.scrap":
		d.order(seq, string(ev), own)
	case "carry.device":
		how := string(own["how"].text)
		d.takeOut(rid, outRow{seq, how, how == "replace" && string(own["new_rid"].text) == rid, false})
	case "device.restore":
		return d.restore(seq, own["ref"].number)
	case "device.scrap", "device.revoke", "device.replace":
		how := string(ev[len("device."):])
		for _, key := range []string{"rid", "mac", "sn"} {
			if !own[key].isText || key == "rid" && rid == "" {
				return refuse("record", "record %d takes a device out without a text %s", seq, key)
			}
		}
		keeps := how == "replace" && string(own["new_rid"].text) == rid
		for _, row := range d.inForce(rid) {
			scrap := row.how == "scrap" && how != "scrap"
			if !scrap && !(row.how == "revoke" && how == "replace" && !keeps) {
				return refuse("record", "record %d takes %s out, which is out by record %d", seq, rid, row.seq)
			}
		}
		d.takeOut(rid, outRow{seq, how, keeps, false})
	}
	return nil
}

// order counts scrap of an order that is not closed, each device once.
func (d *devicesOut) order(seq int64, ev string, own map[string]field) {
	if d.orders == nil {
		d.orders = make(map[string]map[string]bool)
	}
	job := string(own["job"].text)
	scrap, known := d.orders[job]
	switch {
	case ev == "order.create" && !known:
		d.orders[job] = make(map[string]bool)
	case ev == "order.close" && known:
		d.orders[job] = nil
	case ev == "order.scrap" && scrap != nil:
		device := string(own["rid"].text) + "\x00" + string(own["mac"].text) + "\x00" + string(own["sn"].text)
		if !scrap[device] {
			scrap[device] = true
			d.takeOut(string(own["rid"].text), outRow{seq, "scrap", false, true})
		}
	}
}

func (d *devicesOut) takeOut(rid string, row outRow) {
	if d.rows == nil {
		d.rows, d.scraps = make(map[string][]outRow), make(map[int64]string)
	}
	d.rows[rid] = append(d.rows[rid], row)
	if row.how == "scrap" {
		d.scraps[row.seq] = rid
	}
}

func (d *devicesOut) restore(seq, scrap int64) error {
	rid, ok := d.scraps[scrap]
	if !ok {
		return refuse("record", "record %d takes back what is no scrap in force", seq)
	}
	delete(d.scraps, scrap)
	var left []outRow
	for _, row := range d.rows[rid] {
		if row.seq != scrap {
			left = append(left, row)
		}
	}
	d.rows[rid] = left
	return nil
}

// inForce is what counts of a registration ID. What was said before a board took its place under the same one was said of the old board,
// but what was revoked stays so.
func (d *devicesOut) inForce(rid string) []outRow {
	if rid == "" {
		return nil
	}
	var rows []outRow
	for _, row := range d.rows[rid] {
		if row.keeps {
			kept := rows[:0]
			for _, before := range rows {
				if before.how == "revoke" {
					kept = append(kept, before)
				}
			}
			rows = kept
			continue
		}
		rows = append(rows, row)
	}
	return rows
}

// eventOf is the ev of a record that parseRecord accepted: of its bytes only that key is spelled so, for within a text a quote is escaped.
func eventOf(body []byte) []byte {
	_, rest, _ := bytes.Cut(body, []byte(`"ev":"`))
	ev, _, _ := bytes.Cut(rest, []byte(`"`))
	return ev
}

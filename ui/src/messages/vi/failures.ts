import { told } from "../told";
import type { CauseWords, FailureWords, SafetyWords } from "../words";

export const safety: SafetyWords = {
  untouched: "Chưa ghi gì vào thiết bị.",
  "not-keyed": "Thiết bị không nhận khóa mới.",
  unknown: "Thiết bị có thể đã có khóa. Không xuất hàng: cắm lại.",
  unrecorded: "Thiết bị đã có khóa, bản ghi chưa đầy đủ. Không xuất hàng: cắm lại.",
};

const again = "Cắm lại thiết bị.";
const repair = "Nếu lặp lại: chuyển sửa chữa.";
const apart = "Để riêng thiết bị.";

export const failures: FailureWords = {
  unplugged: told("Thiết bị bị rút ra.", "Kiểm tra cáp.", again),
  silent: told(
    "Thiết bị không trả lời.",
    "Kiểm tra nguồn của thiết bị.",
    again,
    "Vẫn không trả lời: chuyển sửa chữa.",
  ),
  garbled: told(
    "Thiết bị trả lời không đúng giao thức.",
    again,
    "Nếu lặp lại: kiểm tra phiên bản phần mềm của thiết bị.",
  ),
  unsupported: told(
    "Thiết bị dùng giao thức mà trạm này không biết.",
    "Kiểm tra phần mềm của thiết bị.",
    "Kiểm tra cấu hình sản phẩm.",
  ),
  refused: told("Thiết bị từ chối lệnh.", again, repair),
  "storage-failed": told("Thiết bị không lưu được khóa.", again, repair),
  locked: told(
    "Thiết bị đã bị chốt: trước đây đã hoàn tất sản xuất.",
    "Rút thiết bị.",
    "Nếu cần khóa mới: chuyển sửa chữa.",
  ),
  "no-identity": told(
    "Thiết bị không có địa chỉ MAC hay số sê-ri dùng được.",
    "Rút thiết bị.",
    "Chuyển sửa chữa: chưa nạp định danh, hoặc cấu hình không cho phép.",
  ),
  "already-keyed": told("Thiết bị đã có khóa.", "Rút thiết bị.", "Nếu cần khóa mới: chuyển sửa chữa."),
  "foreign-key": told("Thiết bị có một khóa mà ở đây không có bản ghi nào.", apart, "Gọi tổ trưởng."),
  "already-recorded": told(
    "Địa chỉ MAC và số sê-ri này đã được cấp khóa, nhưng thiết bị không có khóa.",
    apart,
    "Gọi tổ trưởng: bo mạch bị xóa hay bản sao?",
  ),
  twin: told(
    "Một khe khác đang có thiết bị cùng địa chỉ MAC và số sê-ri.",
    "Để riêng cả hai thiết bị.",
    "Gọi tổ trưởng: một trong hai là bản sao.",
  ),
  "other-key": told(
    "Thiết bị này đã bắt đầu được ghi bằng khóa nhóm khác mà chưa rõ kết quả.",
    "Cắm vào trạm có khóa nhóm đó đang hoạt động.",
    "Không được: chuyển sửa chữa.",
  ),
  "not-proven": told("Thiết bị không chứng minh được là đang giữ khóa.", again, repair),
  "not-kept": told("Khóa bị mất sau khi khởi động lại.", again, repair),
  "not-written": told("Lần ghi trước đã bắt đầu nhưng không đến được thiết bị.", again, repair),
  "not-restarted": told("Thiết bị không khởi động lại.", again, repair),
  swapped: told(
    "Sau khi ghi, một thiết bị khác trả lời.",
    "Để riêng mọi thiết bị trên bàn.",
    "Gọi tổ trưởng.",
  ),
  "port-unavailable": told(
    "Không mở được cổng.",
    "Kiểm tra cáp.",
    "Đóng chương trình khác đang dùng cổng.",
    again,
  ),
  "not-permitted": told(
    "Chưa có ai được phép cấp khóa đăng nhập.",
    "Người vận hành, sửa chữa hoặc tổ trưởng đăng nhập.",
    again,
  ),
  "vault-locked": told("Kho khóa đang đóng.", "Mở kho khóa.", again),
  "vault-failed": told("Kho khóa không dùng được khóa nhóm.", "Dừng lại.", "Gọi người giữ khóa."),
  "key-inactive": told(
    "Khóa nhóm không hoạt động: không thiết bị nào nhận khóa từ nó.",
    "Sản xuất đã chuyển sang khóa khác?",
    "Bị tạm ngưng: hỏi tổ trưởng lý do.",
    "Hai người giữ khóa kích hoạt trong mục “Khóa”.",
  ),
  unsecured: told(
    "Nhật ký quá lâu chưa được bảo chứng: không nhận việc mới.",
    "Gọi QA: bên chứng kiến phải xem nhật ký.",
    again,
  ),
  "space-low": told(
    "Ổ đĩa nhật ký quá đầy: không bắt đầu thiết bị mới.",
    "Giữ thiết bị lại.",
    "Gọi quản trị viên: dọn chỗ, rồi khởi động lại trạm.",
  ),
  "clock-doubted": told(
    "Đồng hồ của trạm chạy lùi: không bắt đầu thiết bị mới.",
    "Giữ thiết bị lại.",
    "Gọi quản trị viên: chỉnh đúng giờ.",
    "Sau đó quản trị viên và một người khác xác nhận giờ.",
  ),
  unlisted: told(
    "Thiết bị không thuộc lệnh sản xuất.",
    apart,
    "So nhãn với lệnh sản xuất.",
    "Gọi tổ trưởng.",
  ),
  "wrong-oui": told(
    "Địa chỉ MAC thuộc hãng khác với lệnh sản xuất.",
    apart,
    "Gọi tổ trưởng: sản phẩm khác, hay chưa nạp?",
  ),
  "wrong-serial": told(
    "Số sê-ri không đúng dạng của lệnh sản xuất.",
    apart,
    "Gọi tổ trưởng: sản phẩm khác, hay nạp sai?",
  ),
  "no-label": told("Chưa quét nhãn của thiết bị.", "Quét nhãn.", again),
  "wrong-label": told(
    "Nhãn vừa quét không phải của thiết bị này.",
    "Kiểm tra nhãn nào của thiết bị nào.",
    "Quét đúng nhãn.",
    again,
  ),
  "other-board": told(
    "Số sê-ri hoặc địa chỉ MAC này đã được cấp khóa trên bo mạch khác.",
    apart,
    "Gọi tổ trưởng: bo mạch mới là việc của sửa chữa.",
  ),
  moved: told(
    "Cổng của khe thay đổi khi thiết bị còn trong đó.",
    "Để yên thiết bị tại chỗ.",
    "Cắm lại.",
    "Nếu lặp lại: gọi tổ trưởng.",
  ),
  "no-order": told("Chưa mở lệnh sản xuất nào.", "Tổ trưởng mở lệnh sản xuất.", again),
  "order-full": told(
    "Lệnh sản xuất đã đủ: đã bắt đầu đủ số thiết bị.",
    "Dừng lại.",
    "Gọi tổ trưởng: đếm thùng hàng, rồi đóng lệnh.",
  ),
  "same-key": told(
    "Thiết bị sẽ nhận lại đúng khóa đang có: với lý do này thì vô ích.",
    "Chọn cấu hình có khóa nhóm khác, hoặc cho thiết bị ID khác: đổi bo mạch.",
    "Nếu vẫn muốn vậy: yêu cầu lại và nói rõ.",
  ),
  "not-of-batch": told(
    "Thiết bị không có trong danh sách của lô.",
    "Để riêng thiết bị.",
    "So nhãn với danh sách của lô.",
    "Gọi tổ trưởng.",
  ),
  "already-rekeyed": told(
    "Thiết bị đã được ghi lại khóa trong lô này.",
    "Để vào chỗ đã xong.",
    "Cắm thiết bị tiếp theo.",
  ),
  "batch-full": told(
    "Lô đã đủ: đã bắt đầu đủ số thiết bị được duyệt.",
    "Dừng lại.",
    "Gọi tổ trưởng: đếm thiết bị, rồi đóng lô.",
  ),
  collision: told(
    "Hai thiết bị sẽ có cùng một khóa.",
    "Dừng chuyền.",
    "Để riêng thiết bị.",
    "Gọi người giữ khóa và QA: khóa dẫn xuất sai.",
  ),
  "log-failed": told("Không ghi được nhật ký.", "Dừng lại.", "Gọi quản trị viên: kiểm tra ổ đĩa và nhật ký."),
};

/** The same in a word or two, for charts. */
export const causes: CauseWords = {
  unplugged: "Bị rút",
  silent: "Không trả lời",
  garbled: "Trả lời sai",
  unsupported: "Giao thức lạ",
  refused: "Từ chối lệnh",
  "storage-failed": "Lỗi lưu",
  locked: "Bị chốt",
  "no-identity": "Không định danh",
  "already-keyed": "Đã có khóa",
  "foreign-key": "Khóa lạ",
  "already-recorded": "Đã ghi nhận",
  twin: "Trùng",
  "other-key": "Khóa nhóm khác",
  "not-proven": "Không chứng minh",
  "not-kept": "Không giữ",
  "not-written": "Không ghi",
  "not-restarted": "Không khởi động",
  swapped: "Bị tráo",
  "port-unavailable": "Mất cổng",
  "not-permitted": "Không được phép",
  "vault-locked": "Kho khóa đóng",
  "vault-failed": "Lỗi kho khóa",
  "key-inactive": "Khóa ngưng",
  unsecured: "Chưa bảo chứng",
  "space-low": "Ổ đĩa đầy",
  "clock-doubted": "Đồng hồ ngờ",
  unlisted: "Ngoài lệnh",
  "wrong-oui": "Sai hãng",
  "wrong-serial": "Sai số sê-ri",
  "no-label": "Không nhãn",
  "wrong-label": "Sai nhãn",
  "other-board": "Bo mạch khác",
  moved: "Bị đổi chỗ",
  "no-order": "Không có lệnh",
  "order-full": "Đủ lệnh",
  "same-key": "Cùng một khóa",
  "not-of-batch": "Ngoài danh sách",
  "already-rekeyed": "Đã xong",
  "batch-full": "Đủ lô",
  collision: "Trùng khóa",
  "log-failed": "Lỗi nhật ký",
};
